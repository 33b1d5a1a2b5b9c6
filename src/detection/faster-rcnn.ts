import { DivergedError } from "../engine/errors";
import type { Random } from "../engine/random";
import { tf } from "../engine/tf";
import { crossEntropy } from "../methods/losses";
import { gradientsOf } from "../nn/gradients";
import { normalise, resNetMaps, resNetStage, type NormalisationMode } from "../nn/resnet";
import { stageStride } from "../nn/resnet-layout";
import {
  disposeStatistics,
  MeanStatistics,
  trainingMode,
  updateRunningAverages,
  type LayerStatistics,
} from "../nn/running-averages";
import { levelAnchors } from "./anchors";
import { boxCount, type Boxes, type Size } from "./boxes";
import { detectionsOf, type Detections } from "./detections";
import { anchorAspectRatios, extraNorm, type Detector } from "./detector";
import { boxRegressionLoss, deltasOfClass, objectnessLoss } from "./detector-losses";
import type { PictureBatch } from "./picture-batch";
import { proposeRegions, type ProposalLimits } from "./region-proposals";
import { roiAlign } from "./roi-align";
import { rpnHead, type RpnOutput } from "./rpn-head";
import { sampleAnchors, sampleRois, type GroundTruth } from "./training-samples";

/** Pictures with what is in them. */
export interface TrainingBatch extends PictureBatch {
  /** One a picture; a picture may have none. */
  readonly truths: readonly GroundTruth[];
}

/** The four losses of Faster R-CNN; training minimises their sum. */
export interface DetectorLosses<T> {
  /** RPN: binary cross-entropy of object against background. */
  readonly objectness: T;
  /** RPN: L1 distance of the deltas of anchors on objects. */
  readonly rpnBox: T;
  /** Box head: cross-entropy over the classes and background, mean over the regions. */
  readonly classification: T;
  /** Box head: L1 distance of the deltas of regions on objects, divided by the number of all regions. */
  readonly box: T;
}

/** What one training step gives. The caller disposes the gradient. */
export interface DetectorStep {
  readonly losses: DetectorLosses<number>;
  /** Of the sum of the losses, with respect to the detector's parameter vector. */
  readonly gradient: tf.Tensor1D;
}

/**
 * One training step up to the gradient (Faster R-CNN, approximate joint training; detectron2's losses). Batch normalisation
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
      const { objectness, rpnBox, classification, box } = tensors;
      losses = {
        objectness: objectness.arraySync(),
        rpnBox: rpnBox.arraySync(),
        classification: classification.arraySync(),
        box: box.arraySync(),
      };
      return tf.addN([objectness, rpnBox, classification, box]);
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
 * What the detector finds in each picture of a batch, with the running averages.
 *
 * @throws DivergedError if a region is not finite
 */
export function detectObjects(detector: Detector, { images, sizes }: PictureBatch): Detections[] {
  const { config, parameters, running } = detector;
  const mode: NormalisationMode = { training: false, running };
  const regions: Boxes[] = [];
  const [probabilities, deltas] = tf.tidy(() => {
    const features = resNetMaps(config.backbone, parameters, images, mode, 3).at(-1)!;
    const rpn = rpnHead(parameters, features);
    regions.push(...proposals(rpn, anchorsOn(detector, features), sizes, config.proposals.inference));
    if (regions.every(({ length }) => length === 0)) return [tf.zeros([0]), tf.zeros([0])];
    const predicted = boxHead(detector, features, regions, mode);
    return [tf.softmax(predicted.logits), predicted.deltas];
  });
  const scores = probabilities.dataSync<"float32">();
  const shifts = deltas.dataSync<"float32">();
  tf.dispose([probabilities, deltas]);
  let first = 0;
  return regions.map((boxes, picture) => {
    const last = first + boxCount(boxes);
    const of = (values: Float32Array, each: number) => values.subarray(first * each, last * each);
    const found = detectionsOf(boxes, of(scores, config.classes + 1), of(shifts, 4 * config.classes), sizes[picture]!);
    first = last;
    return found;
  });
}

function trainingLosses(
  detector: Detector,
  { images, sizes, truths }: TrainingBatch,
  random: Random,
  mode: NormalisationMode,
): DetectorLosses<tf.Scalar> {
  const { config, parameters } = detector;
  return tf.tidy(() => {
    const features = resNetMaps(config.backbone, parameters, images, mode, 3).at(-1)!;
    const rpn = rpnHead(parameters, features);
    const anchors = anchorsOn(detector, features);
    const rpnLosses = regionProposalLosses(rpn, anchors, truths, config.anchorsPerImage, random);
    const regions = proposals(rpn, anchors, sizes, config.proposals.training);
    return { ...rpnLosses, ...boxHeadLosses(detector, features, regions, truths, random, mode) };
  });
}

/** Both are divided by how many anchors are wanted, whether or not there are so many (detectron2). */
function regionProposalLosses(
  { objectness, deltas }: RpnOutput,
  anchors: Boxes,
  truths: readonly GroundTruth[],
  anchorsPerImage: number,
  random: Random,
): Pick<DetectorLosses<tf.Scalar>, "objectness" | "rpnBox"> {
  const [count, perPicture] = objectness.shape;
  const indices: number[] = [];
  const labels: number[] = [];
  const objects: number[] = [];
  const targets: number[] = [];
  truths.forEach((truth, picture) => {
    const sample = sampleAnchors(anchors, truth, anchorsPerImage, random);
    const inBatch = sample.indices.map((index) => picture * perPicture + index);
    indices.push(...inBatch);
    labels.push(...sample.labels);
    objects.push(...inBatch.subarray(0, sample.deltas.length / 4));
    targets.push(...sample.deltas);
  });
  const logits = tf.gather(objectness.as1D(), tf.tensor1d(indices, "int32"));
  const shifts = tf.gather(deltas.as2D(count * perPicture, 4), tf.tensor1d(objects, "int32"));
  const normaliser = anchorsPerImage * count;
  return {
    objectness: tf.div(objectnessLoss(logits, Float32Array.from(labels)), normaliser),
    rpnBox: tf.div(boxRegressionLoss(shifts, Float32Array.from(targets)), normaliser),
  };
}

function boxHeadLosses(
  detector: Detector,
  features: tf.Tensor4D,
  regions: readonly Boxes[],
  truths: readonly GroundTruth[],
  random: Random,
  mode: NormalisationMode,
): Pick<DetectorLosses<tf.Scalar>, "classification" | "box"> {
  const { classes, roisPerImage } = detector.config;
  const samples = regions.map((boxes, picture) => sampleRois(boxes, truths[picture]!, classes, roisPerImage, random));
  const labels = Int32Array.from(samples.flatMap((sample) => [...sample.classes]));
  if (labels.length === 0) {
    throw new DivergedError(
      "Cannot train the box head: no region lies in a picture of the batch; training has diverged",
    );
  }
  const rois = samples.map(({ boxes }) => boxes);
  const { logits, deltas } = boxHead(detector, features, rois, mode);
  const objects = Int32Array.from(labels.keys()).filter((region) => labels[region]! < classes);
  const shifts = deltasOfClass(
    deltas,
    objects,
    objects.map((region) => labels[region]!),
  );
  const targets = Float32Array.from(samples.flatMap((sample) => [...sample.deltas]));
  return {
    classification: crossEntropy(logits, labels),
    box: tf.div(boxRegressionLoss(shifts, targets), labels.length),
  };
}

/** RoIAlign, res5, the extra batch normalisation, global average pooling and the two predictors. */
function boxHead(
  { config, parameters }: Detector,
  features: tf.Tensor4D,
  rois: readonly Boxes[],
  mode: NormalisationMode,
): { logits: tf.Tensor2D; deltas: tf.Tensor2D } {
  const { backbone, roiResolution } = config;
  const scale = 1 / stageStride(backbone, 3);
  const aligned = roiAlign(features, rois, { resolution: roiResolution, scale, samplingRatio: 0 });
  const normalised = normalise(parameters, resNetStage(backbone, parameters, aligned, mode, 4), extraNorm, mode);
  const pooled = tf.mean<tf.Tensor2D>(normalised, [1, 2]);
  const linear = (name: string) =>
    tf.add<tf.Tensor2D>(
      tf.matMul(pooled, parameters.tensor<tf.Tensor2D>(`box_predictor.${name}.weight`)),
      parameters.tensor(`box_predictor.${name}.bias`),
    );
  return { logits: linear("cls_score"), deltas: linear("bbox_pred") };
}

/** Also over the padding of smaller pictures, where anchors are background, as in detectron2. */
function anchorsOn({ config }: Detector, features: tf.Tensor4D): Boxes {
  const [, height, width] = features.shape;
  const level = {
    size: { height, width },
    stride: stageStride(config.backbone, 3),
    anchorSizes: config.anchorSizes,
  };
  return levelAnchors(level, anchorAspectRatios);
}

/** The proposals of each picture. No gradient goes through them. */
function proposals(rpn: RpnOutput, anchors: Boxes, sizes: readonly Size[], limits: ProposalLimits): Boxes[] {
  const logits = rpn.objectness.dataSync<"float32">();
  const shifts = rpn.deltas.dataSync<"float32">();
  const count = boxCount(anchors);
  return sizes.map((size, picture) => {
    const objectness = logits.subarray(picture * count, (picture + 1) * count);
    const deltas = shifts.subarray(4 * picture * count, 4 * (picture + 1) * count);
    return proposeRegions([{ anchors, objectness, deltas }], size, limits).boxes;
  });
}
