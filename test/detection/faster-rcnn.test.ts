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
import { hashed, hashedState, sampled } from "../nn/hashed";
import fixture from "./fixtures/training-step.json";

const random = () => randomStream(1, "test");
const { config: golden } = fixture;
const limits = { beforeNms: golden.beforeNms, afterNms: golden.afterNms };
const config: DetectorConfig = {
  arch: "c4",
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

async function* oneByOne(...batches: readonly TrainingBatch[]): AsyncGenerator<TrainingBatch> {
  for (const batch of batches) yield await Promise.resolve(batch);
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
      error: relativeError(sampled(ours.get(name)!.values), expected),
    }));
    expect(errors.filter(({ error }) => !(error < 1e-4))).toEqual([]);
    gradients.dispose();
  });

  it("moves the running averages as PyTorch does, the extra normalisation's too", () => {
    const ours = toStateDict(detector.running, "");
    const theirs: Readonly<Record<string, number[]>> = fixture.running;
    expect([...ours.keys()].sort()).toEqual(Object.keys(theirs).sort());
    for (const [name, expected] of Object.entries(theirs)) {
      expect(relativeError(sampled(ours.get(name)!.values), expected)).toBeLessThan(1e-5);
    }
  });

  it("finds what PyTorch finds, after precise BN over the same batch", async () => {
    await estimateRunningAverages(detector, oneByOne(hashedBatch()), random());
    const found = detectObjects(detector, batch);
    fixture.detections.forEach(({ boxes, scores, classes }, picture) => {
      expect([...found[picture]!.classes]).toEqual(classes);
      expect(relativeError(found[picture]!.scores, scores)).toBeLessThan(1e-4);
      expect(relativeError(found[picture]!.boxes, boxes)).toBeLessThan(1e-4);
    });
  });
});

describe("a detector", () => {
  const encoder = createEncoder({ ...config.backbone, head: "linear", dimension: 4 }, random());
  afterAll(() => disposeEncoder(encoder));
  // Fewer than there are, so that the random numbers count.
  const sampling = { ...config, anchorsPerImage: 16, roisPerImage: 8 };

  it("starts with the encoder's backbone and small normal heads", () => {
    const detector = createDetector(config, encoder, random());
    const values = (name: string) => detector.parameters.tensor(name).dataSync<"float32">();
    const deviation = (name: string) =>
      Math.sqrt(values(name).reduce((sum, x) => sum + x * x, 0) / values(name).length);
    for (const name of ["conv1.weight", "layer4.1.bn2.bias"]) {
      expect(values(name)).toEqual(encoder.parameters.tensor(name).dataSync());
    }
    expect(deviation("rpn.conv.weight") / 0.01).toBeCloseTo(1, 1);
    expect(deviation("box_predictor.cls_score.weight") / 0.01).toBeCloseTo(1, 0);
    expect(deviation("box_predictor.bbox_pred.weight") / 0.001).toBeCloseTo(1, 1);
    expect(deviation("rpn.objectness_logits.bias")).toBe(0);
    expect([...values("res5_norm.weight")]).toEqual(Array(32).fill(1));
    disposeDetector(detector);
  });

  it("refuses an encoder of another width", () => {
    const wider = { ...config, backbone: { ...config.backbone, width: 8 } };
    expect(() => createDetector(wider, encoder, random())).toThrow(
      "Cannot put the encoder into the detector: its width must be 8, current value is 4",
    );
  });

  it("takes the same step bit for bit from the same random numbers, and another from others", () => {
    const run = (seed: number) => {
      const detector = createDetector(sampling, encoder, random());
      const batch = hashedBatch();
      const { losses, gradient } = detectorStep(detector, batch, randomStream(seed, "test"));
      const result = { losses, gradient: gradient.dataSync() };
      tf.dispose([batch.images, gradient]);
      disposeDetector(detector);
      return result;
    };
    const first = run(1);
    expect(run(1)).toEqual(first);
    expect(run(2).losses).not.toEqual(first.losses);
  });

  it("trains on pictures without objects: all is background", () => {
    const detector = createDetector(sampling, encoder, random());
    const nothing = { boxes: new Float32Array(0), classes: new Int32Array(0) };
    const batch = { ...hashedBatch(), truths: [nothing, nothing] };
    const { losses, gradient } = detectorStep(detector, batch, random());
    expect(losses.rpnBox).toBe(0);
    expect(losses.box).toBe(0);
    expect(losses.objectness).toBeGreaterThan(0);
    expect(losses.classification).toBeGreaterThan(0);
    expect(gradient.dataSync().every(Number.isFinite)).toBe(true);
    tf.dispose([batch.images, gradient]);
    disposeDetector(detector);
  });

  it("learns one batch", () => {
    const detector = createDetector(sampling, encoder, random());
    const batch = hashedBatch();
    const sums = Array.from({ length: 30 }, (_, step) => {
      const { losses, gradient } = detectorStep(detector, batch, randomStream(step, "test"));
      detector.parameters.replace(tf.tidy(() => tf.sub(detector.parameters.values, tf.mul(gradient, 0.05))));
      gradient.dispose();
      return losses.objectness + losses.rpnBox + losses.classification + losses.box;
    });
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(sums.slice(-5))).toBeLessThan(0.7 * mean(sums.slice(0, 5)));
    batch.images.dispose();
    disposeDetector(detector);
  });

  it("leaves no tensor behind in training, precise BN and detection", async () => {
    const outside = tf.memory().numTensors;
    const detector = createDetector(sampling, encoder, random());
    const batch = hashedBatch();
    const before = tf.memory().numTensors;
    for (let step = 0; step < 2; step++) {
      detectorStep(detector, batch, random()).gradient.dispose();
      expect(tf.memory().numTensors).toBe(before);
    }
    await estimateRunningAverages(detector, oneByOne(hashedBatch(), hashedBatch()), random());
    expect(tf.memory().numTensors).toBe(before);
    detectObjects(detector, batch);
    expect(tf.memory().numTensors).toBe(before);
    batch.images.dispose();
    disposeDetector(detector);
    expect(tf.memory().numTensors).toBe(outside);
  });
});
