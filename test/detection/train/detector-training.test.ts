import { describe, expect, it } from "vitest";
import { createDetector, disposeDetector } from "../../../src/detection/model/detector";
import { detectorWeightDecay } from "../../../src/detection/train/detector-training";
import { randomStream } from "../../../src/engine/random";
import { tf } from "../../../src/engine/tf";
import { disposeEncoder } from "../../../src/nn/encoder";
import { ParameterVector } from "../../../src/nn/parameters";
import { tinyDetection, tinyInitialization } from "../tiny-detection";

describe("detectorWeightDecay", () => {
  it.each([
    ["c4", "res5_norm"],
    ["fpn", "fpn_lateral4.norm"],
  ] as const)("spares batch normalization alone, as detectron2's WEIGHT_DECAY_NORM 0 does: %s", (arch, norm) => {
    const encoder = tinyInitialization.createEncoder();
    const config = { ...tinyDetection().detector, arch, anchorSizes: [4, 8, 16, 32, 64], classes: 2 };
    const detector = createDetector(config, encoder, randomStream(1));
    const decay = new ParameterVector(detector.parameters.entries, detectorWeightDecay(detector, 0.5));
    const byName = (name: string) => [...new Set(decay.tensor(name).dataSync())];
    for (const name of ["bn1", "layer2.0.bn2", "layer2.0.downsample.1", norm]) {
      expect(byName(`${name}.weight`)).toEqual([0]);
      expect(byName(`${name}.bias`)).toEqual([0]);
    }
    for (const name of [
      "conv1.weight",
      "layer2.0.downsample.0.weight",
      "rpn.conv.bias",
      "box_predictor.cls_score.bias",
    ]) {
      expect(byName(name)).toEqual([0.5]);
    }
    // All of batch normalization, and nothing else: as many scales and offsets as running averages.
    const spared = tf.tidy(() => tf.sum(tf.equal(decay.values, 0)).arraySync());
    expect(spared).toBe(detector.running.size);
    decay.dispose();
    disposeDetector(detector);
    disposeEncoder(encoder);
  });
});
