import { afterAll, describe, expect, it } from "vitest";
import { joinArrays } from "../../../src/detection/structures/boxes";
import { createDetector, disposeDetector } from "../../../src/detection/model/detector";
import { detectObjects } from "../../../src/detection/model/detect-objects";
import { estimateRunningAverages, totalLoss, type TrainingBatch } from "../../../src/detection/model/faster-rcnn";
import { randomStream } from "../../../src/engine/random";
import { tf } from "../../../src/engine/tf";
import { createEncoder, disposeEncoder } from "../../../src/nn/encoder";
import { ParameterVector } from "../../../src/nn/parameters";
import { toStateDict } from "../../../src/weights/state-dict";
import { relativeError } from "../../engine/double-precision";
import { sampled } from "../../weights/hashed";
import dilatedC5Step from "../fixtures/dilated-c5-step.json";
import fpnStep from "../fixtures/fpn-step.json";
import { configOf, detectRecorded, forms, hashedBatch, hashedDetector, takeStep } from "../golden-step";
import maskStep from "../fixtures/mask-step.json";
import c4Step from "../fixtures/training-step.json";

const random = () => randomStream(1, "test");

async function* oneByOne(...batches: readonly TrainingBatch[]): AsyncGenerator<TrainingBatch> {
  for (const batch of batches) yield await Promise.resolve(batch);
}

const golden = [
  ["c4", c4Step, "c4"],
  ["c4 with masks", maskStep, "c4"],
  ["dc5", dilatedC5Step, "dc5"],
  ["fpn with masks", fpnStep, "fpn"],
] as const;

describe.each(
  golden.flatMap(([name, fixture, arch]) => forms.map((form) => [`${name}, ${form}`, fixture, arch, form] as const)),
)("one training step of a narrow detector (%s), on two images of different sizes", (_, fixture, arch, form) => {
  const detector = hashedDetector(configOf(arch, fixture), fixture);
  const batch = hashedBatch(fixture);
  const { losses, gradient } = takeStep(detector, batch, random(), form);
  afterAll(() => {
    tf.dispose([batch.images, gradient]);
    disposeDetector(detector);
  });

  it("has PyTorch's losses", () => {
    expect(Object.keys(losses)).toEqual(Object.keys(fixture.losses));
    for (const [name, loss] of Object.entries(fixture.losses)) {
      expect(Math.abs(losses[name as keyof typeof losses]! / loss - 1), name).toBeLessThan(1e-4);
    }
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

  it("moves the running averages as PyTorch does, those beside the backbone too", () => {
    const ours = toStateDict(detector.running, "");
    const theirs: Readonly<Record<string, number[]>> = fixture.running;
    expect([...ours.keys()].sort()).toEqual(Object.keys(theirs).sort());
    for (const [name, expected] of Object.entries(theirs)) {
      expect(relativeError(sampled(ours.get(name)!.values), expected)).toBeLessThan(1e-5);
    }
  });

  it("finds what PyTorch finds, after precise BN over the same batch", async () => {
    await estimateRunningAverages(detector, oneByOne(hashedBatch(fixture)), random());
    const found = form === "recorded" ? detectRecorded(detector, batch) : detectObjects(detector, batch);
    fixture.detections.forEach(({ boxes, scores, classes, ...others }, image) => {
      expect([...found[image]!.classes]).toEqual(classes);
      expect(relativeError(found[image]!.scores, scores)).toBeLessThan(1e-4);
      expect(relativeError(found[image]!.boxes, boxes)).toBeLessThan(1e-4);
      const { masks } = found[image]!;
      if ("masks" in others) expect(relativeError(joinArrays(masks!), others.masks as number[])).toBeLessThan(1e-4);
      else expect(masks).toBeUndefined();
    });
  });
});

describe.each([
  ["c4", c4Step, "c4", 30],
  ["c4 with masks", maskStep, "c4", 30],
  ["dc5", dilatedC5Step, "dc5", 60],
  ["fpn with masks", fpnStep, "fpn", 30],
] as const)("a detector (%s)", (_, fixture, arch, steps) => {
  const config = configOf(arch, fixture);
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
    if (arch !== "c4") {
      // Uniform: its largest value is near its bound.
      const largest = Math.max(...values("box_head.fc1.weight").map(Math.abs));
      const [length] = detector.parameters.tensor("box_head.fc1.weight").shape as [number];
      expect(largest / Math.sqrt(3 / length)).toBeCloseTo(1, 1);
    }
    if (arch === "fpn") {
      expect(Math.max(...values("fpn_output3.weight").map(Math.abs)) / Math.sqrt(3 / (9 * 16))).toBeCloseTo(1, 1);
      expect(deviation("mask_head.mask_fcn2.weight") / Math.sqrt(2 / (9 * 16))).toBeCloseTo(1, 1);
    }
    const [norm, channels] = { c4: ["res5_norm", 32], dc5: ["reduction_norm", 32], fpn: ["fpn_output3.norm", 16] }[
      arch
    ];
    expect([...values(`${norm}.weight`)]).toEqual(Array(channels).fill(1));
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
      const batch = hashedBatch(fixture);
      const { losses, gradient } = takeStep(detector, batch, randomStream(seed, "test"));
      const result = { losses, gradient: gradient.dataSync() };
      tf.dispose([batch.images, gradient]);
      disposeDetector(detector);
      return result;
    };
    const first = run(1);
    expect(run(1)).toEqual(first);
    expect(run(2).losses).not.toEqual(first.losses);
  });

  it("trains on images without objects: all is background", () => {
    const detector = createDetector(sampling, encoder, random());
    const nothing = { boxes: new Float32Array(0), classes: new Int32Array(0), masks: [] };
    const batch = { ...hashedBatch(fixture), truths: [nothing, nothing] };
    const { losses, gradient } = takeStep(detector, batch, random());
    expect(losses.rpnBox).toBe(0);
    expect(losses.box).toBe(0);
    expect(losses.mask).toBe(config.masks && 0);
    expect(losses.objectness).toBeGreaterThan(0);
    expect(losses.classification).toBeGreaterThan(0);
    expect(gradient.dataSync().every(Number.isFinite)).toBe(true);
    tf.dispose([batch.images, gradient]);
    disposeDetector(detector);
  });

  it("learns one batch", () => {
    const detector = createDetector(sampling, encoder, random());
    const batch = hashedBatch(fixture);
    const sums = Array.from({ length: steps }, (_, step) => {
      const { losses, gradient } = takeStep(detector, batch, randomStream(step, "test"));
      detector.parameters.replace(tf.tidy(() => tf.sub(detector.parameters.values, tf.mul(gradient, 0.05))));
      gradient.dispose();
      return totalLoss(losses);
    });
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(sums.slice(-5))).toBeLessThan(0.7 * mean(sums.slice(0, 5)));
    batch.images.dispose();
    disposeDetector(detector);
  });

  it("leaves no tensor behind in training, precise BN and detection", async () => {
    const outside = tf.memory().numTensors;
    const detector = createDetector(sampling, encoder, random());
    const batch = hashedBatch(fixture);
    const before = tf.memory().numTensors;
    for (let step = 0; step < 2; step++) {
      takeStep(detector, batch, random()).gradient.dispose();
      expect(tf.memory().numTensors).toBe(before);
    }
    await estimateRunningAverages(detector, oneByOne(hashedBatch(fixture), hashedBatch(fixture)), random());
    expect(tf.memory().numTensors).toBe(before);
    detectObjects(detector, batch);
    expect(tf.memory().numTensors).toBe(before);
    batch.images.dispose();
    disposeDetector(detector);
    expect(tf.memory().numTensors).toBe(outside);
  });
});
