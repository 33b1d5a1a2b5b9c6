import { describe, expect, it } from "vitest";
import { finestLevel, pyramidLevels } from "../../../src/detection/model/pyramid-regions";
import { alignByInputs, alignmentInputs, type AlignmentLayout } from "../../../src/detection/model/region-alignment";
import type { Boxes } from "../../../src/detection/structures/boxes";
import { tf } from "../../../src/engine/tf";
import { gradientsOf } from "../../../src/nn/gradients";
import { ParameterVector } from "../../../src/nn/parameters";
import { relativeError } from "../../engine/double-precision";
import { hashed, sampled } from "../../weights/hashed";
import fixture from "../fixtures/fpn-levels.json";

describe("pyramidLevels", () => {
  it.each(fixture.assignment)("are torchvision's and detectron2's, of squares of $canonical px too", (one) => {
    expect([...pyramidLevels(Float32Array.from(one.boxes), one.canonical)]).toEqual(one.levels);
  });
});

describe("regions aligned on the maps of a pyramid", () => {
  const { canonical, channels, maps: sizes, cases } = fixture.align;
  const entries = sizes.map(([height, width], index) => ({
    name: `P${index + 2}`,
    shape: [2, height!, width!, channels],
  }));
  const mapsOf = (seed: number) =>
    new ParameterVector(
      entries,
      tf.tidy(() =>
        tf.concat1d(
          entries.map(({ shape }, index) =>
            tf.tensor1d(hashed(10 * seed + index + 2, tf.util.sizeFromShape(shape), -1, 1)),
          ),
        ),
      ),
    );

  const layoutFor = (images: number, resolution: number, mostRegions: number): AlignmentLayout => ({
    name: "box",
    maps: sizes.map(([height, width], map) => ({ size: { height: height!, width: width! }, stride: 4 * 2 ** map })),
    images,
    resolution,
    mostRegions,
  });
  const mapOf = (boxes: Boxes) => pyramidLevels(boxes, canonical).map((level) => level - finestLevel);

  it.each(cases)("have PyTorch's values, and gradients into each level: $name", (one) => {
    const before = tf.memory().numTensors;
    const maps = mapsOf(one.seed);
    const rois = one.rois.map((boxes) => Float32Array.from(boxes));
    let output: Float32Array = new Float32Array();
    const { loss, gradients } = gradientsOf([maps], () => {
      const layout = layoutFor(2, one.resolution, 100);
      const features = entries.map(({ name }) => maps.tensor<tf.Tensor4D>(name));
      const aligned = alignByInputs(layout, features, alignmentInputs(layout, rois, mapOf));
      output = aligned.dataSync<"float32">();
      return tf.sum<tf.Scalar>(tf.mul(aligned, tf.tensor(hashed(one.seed, aligned.size, -1, 1), aligned.shape)));
    });
    expect(relativeError(one.resolution === 14 ? sampled(output) : output, one.output)).toBeLessThan(1e-5);
    const named = new ParameterVector(entries, gradients[0]!);
    entries.forEach(({ name }, index) => {
      const ours = named.tensor(name).dataSync<"float32">();
      const theirs = one.gradients[index]!;
      // Of a level without regions.
      if (theirs.every((value) => value === 0)) expect([...ours]).toEqual(theirs);
      else expect(relativeError(ours, theirs), name).toBeLessThan(1e-5);
    });
    named.dispose();
    maps.dispose();
    loss.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("are none where there are none", () => {
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const layout = layoutFor(1, 7, 100);
      const features = sizes.map(([height, width]) => tf.zeros<tf.Rank.R4>([1, height!, width!, channels]));
      const inputs = alignmentInputs(layout, [new Float32Array(0)], mapOf);
      expect(alignByInputs(layout, features, inputs).shape).toEqual([0, 7, 7, channels]);
    });
    expect(tf.memory().numTensors).toBe(before);
  });
});
