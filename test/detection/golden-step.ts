import { detectorParameters, detectorRunningAverages, type Detector } from "../../src/detection/model/detector";
import { type DetectorConfig } from "../../src/detection/detector-config";
import type { TrainingBatch } from "../../src/detection/model/faster-rcnn";
import type { Rle } from "../../src/detection/structures/mask-rle";
import { batchImages } from "../../src/detection/data/image-batch";
import { tf } from "../../src/engine/tf";
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
