import type { DetectorConfig } from "../../src/detection/detector-config";
import { batchLayout } from "../../src/detection/model/batch-layout";
import { detectionFunction, detectObjects } from "../../src/detection/model/detect-objects";
import type { Detections } from "../../src/detection/model/detections";
import { detectorParameters, detectorRunningAverages, type Detector } from "../../src/detection/model/detector";
import {
  detectorStep,
  stepDecisions,
  stepPauses,
  type DetectorLosses,
  type TrainingBatch,
} from "../../src/detection/model/faster-rcnn";
import type { Rle } from "../../src/detection/structures/mask-rle";
import { batchImages } from "../../src/detection/data/image-batch";
import { tf } from "../../src/engine/tf";
import { createProgram, runOpByOp } from "../../src/engine/program";
import type { Random } from "../../src/engine/random";
import type { Decisions, NamedTensors, TensorFunction } from "../../src/engine/tensor-function";
import { fromStateDict } from "../../src/weights/state-dict";
import { hashed, hashedState } from "../weights/hashed";
import type c4Step from "./fixtures/training-step.json";

/** What test/golden/detector_steps.py writes about one training step. */
export type StepFixture = Pick<typeof c4Step, "config" | "images"> & {
  readonly truths: readonly {
    readonly boxes: readonly number[];
    readonly classes: readonly number[];
    /** Run lengths. */
    readonly masks?: readonly (readonly number[])[];
  }[];
  readonly shapes: Readonly<Record<string, readonly number[]>>;
};

/** The configuration of a fixture's detector. */
export function configOf(arch: DetectorConfig["arch"], { config: golden, truths }: StepFixture): DetectorConfig {
  const limits = { beforeNms: golden.beforeNms, afterNms: golden.afterNms };
  return {
    arch,
    backbone: { architecture: "resnet18", width: golden.width, stem: "imagenet" },
    classes: golden.classes,
    anchorSizes: golden.anchorSizes,
    proposals: { training: limits, inference: limits },
    anchorsPerImage: golden.anchorsPerImage,
    roisPerImage: 1000, // all: nothing is left to chance
    roiResolution: golden.resolution,
    ...(truths.some(({ masks }) => masks) && { masks: true }),
  };
}

export function hashedDetector(config: DetectorConfig, fixture: StepFixture): Detector {
  const state = hashedState(fixture.shapes);
  return {
    config,
    parameters: fromStateDict(state, detectorParameters(config), "", "fixture"),
    running: fromStateDict(state, detectorRunningAverages(config), "", "fixture"),
  };
}

/** The fixture's two images of different sizes, cut out of squares of hashed numbers. */
export function hashedBatch(fixture: StepFixture): TrainingBatch {
  const { size, seed } = fixture.config;
  const squares = tf.tensor4d(hashed(seed, 2 * size * size * 3, -1, 1), [2, size, size, 3]);
  const images = fixture.images.map(({ height, width }, index) =>
    tf.tidy(() => tf.squeeze<tf.Tensor3D>(tf.slice4d(squares, [index, 0, 0, 0], [1, height, width, 3]), [0])),
  );
  const batch = batchImages(images);
  tf.dispose([squares, images]);
  const truths = fixture.truths.map(({ boxes, classes, masks }, index) => {
    const { height, width } = fixture.images[index]!;
    return {
      boxes: Float32Array.from(boxes),
      classes: Int32Array.from(classes),
      ...(masks && {
        masks: masks.map((counts): Rle => ({ size: [height, width], counts: Uint32Array.from(counts) })),
      }),
    };
  });
  return { ...batch, truths };
}

export const forms = ["recorded", "op by op"] as const;
type Form = (typeof forms)[number];

/** A step up to the gradient, which the caller disposes. */
export function takeStep(
  detector: Detector,
  batch: TrainingBatch,
  random: Random,
  form: Form = "op by op",
): { losses: DetectorLosses<number>; gradient: tf.Tensor1D } {
  const on = { detector, layout: batchLayout(detector.config, batch.images.shape, "training") };
  const step: TensorFunction = {
    inputs: { images: { shape: batch.images.shape } },
    pauses: stepPauses(on),
    compute: ({ images }, pause) => {
      const { losses, gradient } = detectorStep(on, images as tf.Tensor4D, pause);
      return { ...(losses as unknown as NamedTensors), gradient };
    },
  };
  const decisions = stepDecisions(on, batch, random);
  const { gradient, ...losses } = run(step, { images: batch.images }, decisions, form);
  const values = Object.fromEntries(Object.entries(losses).map(([name, loss]) => [name, loss.dataSync()[0]!]));
  tf.dispose(losses);
  return { losses: values as unknown as DetectorLosses<number>, gradient: gradient as tf.Tensor1D };
}

/** What a detector finds, by a recorded function. */
export function detectRecorded(detector: Detector, batch: TrainingBatch): Detections[] {
  const on = { detector, layout: batchLayout(detector.config, batch.images.shape, "inference") };
  return detectObjects(detector, batch, (images, decisions) =>
    run(detectionFunction(on), { images }, decisions, "recorded"),
  );
}

function run(one: TensorFunction, inputs: NamedTensors, decisions: Decisions, form: Form): NamedTensors {
  if (form === "op by op") return runOpByOp(one, inputs, decisions);
  const program = createProgram({ one });
  try {
    return program.run("one", inputs, decisions);
  } finally {
    program.dispose();
  }
}
