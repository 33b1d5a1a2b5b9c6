import type { Random } from "../../engine/random";
import { tf } from "../../engine/tf";
import { gradientsOf } from "../../nn/gradients";
import type { NormalizationMode } from "../../nn/resnet";
import {
  disposeStatistics,
  MeanStatistics,
  trainingMode,
  updateRunningAverages,
  type LayerStatistics,
} from "../../nn/running-averages";
import type { Detections } from "./detections";
import { architectureOf, type Detector } from "./detector";
import type { ImageBatch } from "../data/image-batch";
import {
  anchorsOn,
  proposalsOf,
  regionProposalLosses,
  regionProposalNetwork,
  type RpnLosses,
} from "./region-proposal-network";
import { detectInRegions, roiLosses, type RoiLosses } from "./roi-heads";
import type { GroundTruth } from "./training-samples";

/** Images with what is in them. */
export interface TrainingBatch extends ImageBatch {
  /** One an image; an image may have none. */
  readonly truths: readonly GroundTruth[];
}

/** The four losses of Faster R-CNN, and with masks the fifth of Mask R-CNN; training minimizes their sum. */
export interface DetectorLosses<T> extends RpnLosses<T>, RoiLosses<T> {}

/** What a function makes of each loss. */
export function mapLosses<T, U>(
  losses: DetectorLosses<T>,
  map: (loss: T, name: keyof DetectorLosses<T>) => U,
): DetectorLosses<U> {
  const entries = Object.entries(losses) as [keyof DetectorLosses<T>, T][];
  return Object.fromEntries(entries.map(([name, loss]) => [name, map(loss, name)])) as unknown as DetectorLosses<U>;
}

/** What training minimizes. */
export function totalLoss({ objectness, rpnBox, classification, box, mask = 0 }: DetectorLosses<number>): number {
  return objectness + rpnBox + classification + box + mask;
}

/** What one training step gives. The caller disposes the gradient. */
export interface DetectorStep {
  readonly losses: DetectorLosses<number>;
  /** Of the sum of the losses, with respect to the detector's parameter vector. */
  readonly gradient: tf.Tensor1D;
}

/**
 * One training step up to the gradient (Faster R-CNN, approximate joint training; detectron2's losses). Batch normalization
 * is trained, over the whole batch; the running averages move.
 *
 * @param random - draws the anchors and regions that take part
 * @throws DivergedError if a region is not finite, or none is left to learn from
 */
export function detectorStep(detector: Detector, batch: TrainingBatch, random: Random): DetectorStep {
  const statistics: LayerStatistics[] = [];
  let losses: DetectorLosses<number> | undefined;
  const differentiate = () =>
    gradientsOf([detector.parameters], () => {
      const tensors = trainingLosses(detector, batch, random, trainingMode(statistics));
      losses = mapLosses(tensors, (loss) => loss.arraySync());
      return tf.addN(Object.values(tensors) as tf.Scalar[]);
    });
  let result: ReturnType<typeof differentiate>;
  try {
    result = differentiate();
  } catch (error) {
    disposeStatistics(statistics);
    throw error;
  }
  const { loss, gradients } = result;
  loss.dispose();
  updateRunningAverages(detector, statistics, 1);
  return { losses: losses!, gradient: gradients[0]! };
}

/**
 * Sets the running averages to the mean of the batch statistics over training batches (detectron2's precise BN). They stay
 * as they were if the batches end with an error.
 *
 * @param batches - at least one; their images are disposed here, one after the other
 */
export async function estimateRunningAverages(
  detector: Detector,
  batches: AsyncIterable<TrainingBatch>,
  random: Random,
): Promise<void> {
  const mean = new MeanStatistics(detector.running);
  try {
    for await (const batch of batches) {
      try {
        mean.add((mode) => tf.dispose({ ...trainingLosses(detector, batch, random, mode) }));
      } finally {
        batch.images.dispose();
      }
    }
    mean.apply();
  } finally {
    mean.dispose();
  }
}

/**
 * What the detector finds in each image of a batch, with the running averages.
 *
 * @throws DivergedError if a region is not finite
 */
export function detectObjects(detector: Detector, { images, sizes }: ImageBatch): Detections[] {
  const { config, running } = detector;
  const mode: NormalizationMode = { training: false, running };
  const found: Detections[] = [];
  tf.tidy(() => {
    const features = architectureOf(config).features(detector, images, mode);
    const rpn = regionProposalNetwork(detector, features);
    const regions = proposalsOf(rpn, anchorsOn(detector, features), sizes, config.proposals.inference);
    found.push(...detectInRegions(detector, features, regions, sizes, mode));
  });
  return found;
}

function trainingLosses(
  detector: Detector,
  batch: TrainingBatch,
  random: Random,
  mode: NormalizationMode,
): DetectorLosses<tf.Scalar> {
  const { config } = detector;
  const { images, sizes, truths } = batch;
  return tf.tidy(() => {
    const features = architectureOf(config).features(detector, images, mode);
    const rpn = regionProposalNetwork(detector, features);
    const anchors = anchorsOn(detector, features);
    const rpnLosses = regionProposalLosses(rpn, anchors, truths, config.anchorsPerImage, random);
    const regions = proposalsOf(rpn, anchors, sizes, config.proposals.training);
    return { ...rpnLosses, ...roiLosses(detector, features, regions, batch, random, mode) };
  });
}
