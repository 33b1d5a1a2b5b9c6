import type { Random } from "../../engine/random";
import type { Decisions, InputSpec, NamedTensors, Pause } from "../../engine/tensor-function";
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
import type { ImageBatch } from "../data/image-batch";
import { joinArrays } from "../structures/boxes";
import { batchLayout } from "./batch-layout";
import { architectureOf, type Detector } from "./detector";
import { alignByInputs } from "./region-alignment";
import {
  anchorSpecs,
  drawAnchors,
  proposalsOf,
  regionProposalLosses,
  regionProposalNetwork,
  type RpnLosses,
} from "./region-proposal-network";
import { drawRegions, regionSpecs, roiLosses, type DetectorOnBatch, type RoiLosses } from "./roi-heads";
import type { RpnOutput } from "./rpn-head";
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

/** What one training step gives: tensors, which the caller disposes. */
export interface DetectorStep {
  readonly losses: DetectorLosses<tf.Scalar>;
  /** Of the sum of the losses, with respect to the detector's parameter vector. */
  readonly gradient: tf.Tensor1D;
}

/** Where a step waits for the anchors and regions that it learns from: they go by what the RPN says. */
const samplesPause = "samples";

/** The pauses of {@link detectorStep}, for a function that is recorded. */
export function stepPauses(on: DetectorOnBatch): Readonly<Record<string, Readonly<Record<string, InputSpec>>>> {
  return { [samplesPause]: { ...anchorSpecs, ...regionSpecs(on) } };
}

/**
 * Decides at the pauses of {@link detectorStep}.
 *
 * @param random - draws the anchors and regions that take part
 * @throws DivergedError, when it decides, if a region is not finite, or none is left to learn from
 */
export function stepDecisions(on: DetectorOnBatch, batch: Omit<TrainingBatch, "images">, random: Random): Decisions {
  return { [samplesPause]: (rpn) => drawSamples(on, rpn as unknown as RpnOutput, batch, random) };
}

/**
 * Draws the anchors that the RPN learns from, and the regions, by what it says, that the heads learn from.
 *
 * @returns the inputs of both; the caller disposes them
 * @throws DivergedError if a region is not finite, or none is left to learn from
 */
export function drawSamples(
  on: DetectorOnBatch,
  rpn: RpnOutput,
  batch: Omit<TrainingBatch, "images">,
  random: Random,
): NamedTensors {
  const { config } = on.detector;
  const { anchors } = on.layout;
  const drawn = drawAnchors(joinArrays(anchors), batch.truths, config.anchorsPerImage, random);
  try {
    const proposals = proposalsOf(rpn, anchors, batch.sizes, config.proposals.training);
    return { ...drawn, ...drawRegions(on, proposals, batch, random) };
  } catch (error) {
    tf.dispose({ ...drawn });
    throw error;
  }
}

/**
 * One training step up to the gradient (Faster R-CNN, approximate joint training; detectron2's losses). Batch normalization
 * is trained, over the whole batch; the running averages move.
 *
 * @param images - of the layout's shape, normalized
 */
export function detectorStep(on: DetectorOnBatch, images: tf.Tensor4D, pause: Pause): DetectorStep {
  const { detector } = on;
  const statistics: LayerStatistics[] = [];
  let kept: DetectorLosses<tf.Scalar> | undefined;
  const differentiate = () =>
    gradientsOf([detector.parameters], () => {
      const losses = trainingLosses(on, images, trainingMode(statistics), pause);
      kept = mapLosses(losses, (loss) => tf.keep(loss));
      return tf.addN(Object.values(losses) as tf.Scalar[]);
    });
  let result: ReturnType<typeof differentiate>;
  try {
    result = differentiate();
  } catch (error) {
    disposeStatistics(statistics);
    throw error;
  }
  result.loss.dispose();
  updateRunningAverages(detector, statistics, 1);
  // Kept over the end of the differentiation; from here on they belong to the caller's scope, like the gradient.
  const losses = mapLosses(kept!, (loss) => tf.clone(loss));
  tf.dispose({ ...kept });
  return { losses, gradient: result.gradients[0]! };
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
  // No mask head normalizes.
  const unmasked = { ...detector, config: { ...detector.config, masks: undefined } };
  try {
    for await (const batch of batches) {
      try {
        const on = { detector: unmasked, layout: batchLayout(unmasked.config, batch.images.shape, "training") };
        const decisions = stepDecisions(on, batch, random);
        const pause: Pause = (name, values) => decisions[name]!(values);
        mean.add((mode) => tf.tidy(() => normalizeAll(on, batch.images, mode, pause)));
      } finally {
        batch.images.dispose();
      }
    }
    mean.apply();
  } finally {
    mean.dispose();
  }
}

/** The part of a forward pass that batch normalization takes part in. */
function normalizeAll(on: DetectorOnBatch, images: tf.Tensor4D, mode: NormalizationMode, pause: Pause): void {
  const { detector, layout } = on;
  const { features, normalizesRegions, alignedMaps, regions } = architectureOf(detector.config);
  const maps = features(detector, images, mode);
  if (!normalizesRegions) return;
  const inputs = pause(samplesPause, { ...regionProposalNetwork(detector, maps) });
  regions(detector, alignByInputs(layout.regions, maps.slice(0, alignedMaps), inputs), mode);
}

function trainingLosses(
  on: DetectorOnBatch,
  images: tf.Tensor4D,
  mode: NormalizationMode,
  pause: Pause,
): DetectorLosses<tf.Scalar> {
  const { detector } = on;
  return tf.tidy(() => {
    const features = architectureOf(detector.config).features(detector, images, mode);
    const rpn = regionProposalNetwork(detector, features);
    const inputs = pause(samplesPause, { ...rpn } satisfies NamedTensors);
    const rpnLosses = regionProposalLosses(rpn, inputs, detector.config.anchorsPerImage);
    return { ...rpnLosses, ...roiLosses(on, features, inputs, mode) };
  });
}
