import { describe, expect, it } from "vitest";
import { tf } from "../../../src/engine/tf";
import { gradientsOf } from "../../../src/nn/gradients";
import { ParameterVector } from "../../../src/nn/parameters";
import { resNetStage } from "../../../src/nn/resnet";
import { resNetParameters, type ResNetConfig } from "../../../src/nn/resnet-layout";
import { disposeStatistics, trainingMode, type LayerStatistics } from "../../../src/nn/running-averages";
import { fromStateDict, toStateDict } from "../../../src/weights/state-dict";
import { relativeError } from "../../engine/double-precision";
import { hashed, hashedState, sampled } from "../../weights/hashed";
import fixture from "../fixtures/dilated-stage.json";

const { width, height, columns, seed } = fixture;

describe("res5 of a ResNet-50 with dilation 2 and stride 1", () => {
  const config: ResNetConfig = { architecture: "resnet50", width, stem: "imagenet" };
  const entries = resNetParameters(config).filter(({ name }) => name.startsWith("layer4."));

  it("keeps height and width, and has PyTorch's values and gradients", () => {
    const before = tf.memory().numTensors;
    const input = [2, height, columns, 16 * width] as const;
    const x = new ParameterVector(
      [{ name: "x", shape: input }],
      tf.tensor1d(hashed(seed, 2 * height * columns * 16 * width, -1, 1)),
    );
    const parameters = fromStateDict(hashedState(fixture.shapes), entries, "", "fixture");
    const statistics: LayerStatistics[] = [];
    let output: Float32Array = new Float32Array();
    const { loss, gradients } = gradientsOf([x, parameters], () => {
      const y = resNetStage(config, parameters, x.tensor<tf.Tensor4D>("x"), trainingMode(statistics), 4, 2);
      expect(y.shape).toEqual([2, height, columns, 32 * width]);
      output = y.dataSync<"float32">();
      return tf.sum<tf.Scalar>(tf.mul(y, tf.tensor(hashed(seed + 1, y.size, -1, 1), y.shape)));
    });
    disposeStatistics(statistics);
    const [ofInput, ofParameters] = gradients as [tf.Tensor1D, tf.Tensor1D];
    expect(relativeError(sampled(output), fixture.output)).toBeLessThan(1e-5);
    expect(relativeError(sampled(ofInput.dataSync<"float32">()), fixture.inputGradient)).toBeLessThan(1e-4);
    const named = new ParameterVector(entries, ofParameters);
    const ours = toStateDict(named, "");
    const theirs: Readonly<Record<string, number[]>> = fixture.gradients;
    expect([...ours.keys()].sort()).toEqual(Object.keys(theirs).sort());
    for (const [name, expected] of Object.entries(theirs)) {
      expect(relativeError(sampled(ours.get(name)!.values), expected), name).toBeLessThan(1e-4);
    }
    named.dispose();
    x.dispose();
    parameters.dispose();
    tf.dispose([loss, ofInput]);
    expect(tf.memory().numTensors).toBe(before);
  });
});
