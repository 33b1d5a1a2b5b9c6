import { afterAll, describe, expect, it } from "vitest";
import {
  createDetector,
  detectorParameters,
  detectorRunningAverages,
  disposeDetector,
  type Detector,
  type DetectorConfig,
} from "../../src/detection/detector";
import {
  detectObjects,
  detectorStep,
  estimateRunningAverages,
  type TrainingBatch,
} from "../../src/detection/faster-rcnn";
import { batchPictures } from "../../src/detection/picture-batch";
import type { GroundTruth } from "../../src/detection/training-samples";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";
import { createEncoder, disposeEncoder } from "../../src/nn/encoder";
import { ParameterVector } from "../../src/nn/parameters";
import { fromStateDict, toStateDict } from "../../src/nn/state-dict";
import { relativeError } from "../engine/double-precision";
import { hashed, hashedState } from "../nn/hashed";
import fixture from "./fixtures/training-step.json";
import { sampled } from "./sampled";

const random = () => randomStream(1, "test");
const { config: golden } = fixture;
const limits = { beforeNms: golden.beforeNms, afterNms: golden.afterNms };
const config: DetectorConfig = {
  backbone: { architecture: "resnet18", width: golden.width, stem: "imagenet" },
  classes: golden.classes,
  anchorSizes: golden.anchorSizes,
  proposals: { training: limits, inference: limits },
  anchorsPerImage: golden.anchorsPerImage,
  roisPerImage: 1000, // all: nothing is left to chance
  roiResolution: golden.resolution,
};
const truths: GroundTruth[] = fixture.truths.map(({ boxes, classes }) => ({
  boxes: Float32Array.from(boxes),
  classes: Int32Array.from(classes),
}));

function hashedDetector(): Detector {
  const state = hashedState(fixture.shapes);
  return {
    config,
    parameters: fromStateDict(state, detectorParameters(config), "", "fixture"),
    running: fromStateDict(state, detectorRunningAverages(config), "", "fixture"),
  };
}

/** The fixture's two pictures of different sizes, cut out of squares of hashed numbers. */
function hashedBatch(): TrainingBatch {
  const { size, seed } = golden;
  const squares = tf.tensor4d(hashed(seed, 2 * size * size * 3, -1, 1), [2, size, size, 3]);
  const pictures = fixture.pictures.map(({ height, width }, index) =>
    tf.tidy(() => tf.squeeze<tf.Tensor3D>(tf.slice4d(squares, [index, 0, 0, 0], [1, height, width, 3]), [0])),
  );
  const batch = batchPictures(pictures);
  tf.dispose([squares, pictures]);
  return { ...batch, truths };
}

describe("one training step of a narrow detector, on two pictures of different sizes", () => {
  const detector = hashedDetector();
  const batch = hashedBatch();
  const { losses, gradient } = detectorStep(detector, batch, random());
  afterAll(() => {
    tf.dispose([batch.images, gradient]);
    disposeDetector(detector);
  });

  it.each(["objectness", "rpnBox", "classification", "box"] as const)("has PyTorch's %s loss", (name) => {
    expect(Math.abs(losses[name] / fixture.losses[name] - 1)).toBeLessThan(1e-4);
  });

  it("has PyTorch's gradients", () => {
    const gradients = new ParameterVector(detector.parameters.entries, tf.clone(gradient));
    const ours = toStateDict(gradients, "");
    const theirs: Readonly<Record<string, number[]>> = fixture.gradients;
    expect([...ours.keys()].sort()).toEqual(Object.keys(theirs).sort());
    const errors = Object.entries(theirs).map(([name, expected]) => ({
      name,
      error: relativeError(sampled(ours.get(name)!.values as Float32Array), expected),
    }));
    expect(errors.filter(({ error }) => !(error < 1e-4))).toEqual([]);
    gradients.dispose();
  });

  it("moves the running averages as PyTorch does, the extra normalisation's too", () => {
    const ours = toStateDict(detector.running, "");
    const theirs: Readonly<Record<string, number[]>> = fixture.running;
    expect([...ours.keys()].sort()).toEqual(Object.keys(theirs).sort());
    for (const [name, expected] of Object.entries(theirs)) {
      expect(relativeError(sampled(ours.get(name)!.values as Float32Array), expected)).toBeLessThan(1e-5);
    }
  });

  it("finds what PyTorch finds, after precise BN over the same batch", () => {
    const again = hashedBatch();
    estimateRunningAverages(detector, () => [again], random());
    const found = detectObjects(detector, batch);
    fixture.detections.forEach(({ boxes, scores, classes }, picture) => {
      expect([...found[picture]!.classes]).toEqual(classes);
      expect(relativeError(found[picture]!.scores, scores)).toBeLessThan(1e-4);
      expect(relativeError(found[picture]!.boxes, boxes)).toBeLessThan(1e-4);
    });
  });
});
