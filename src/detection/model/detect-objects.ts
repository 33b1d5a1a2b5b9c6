import type { Decisions, InputSpec, NamedTensors, TensorFunction } from "../../engine/tensor-function";
import { runOpByOp } from "../../engine/program";
import { tf } from "../../engine/tf";
import type { NormalizationMode } from "../../nn/resnet";
import type { ImageBatch } from "../data/image-batch";
import { boxCount, type Boxes, type Size } from "../structures/boxes";
import { batchLayout } from "./batch-layout";
import { detectionsOf, type Detections } from "./detections";
import { architectureOf, type Detector } from "./detector";
import { rowsOfClass } from "./detector-losses";
import { maskHead, masksOfClass } from "./mask-head";
import { alignByInputs, alignmentInputs, alignmentSpecs, type AlignmentLayout } from "./region-alignment";
import { proposalsOf, regionProposalNetwork } from "./region-proposal-network";
import { predictBoxes, type DetectorOnBatch } from "./roi-heads";
import type { RpnOutput } from "./rpn-head";

/**
 * Inference as a function of tensors, which can be recorded: it waits for the regions, which go by what the RPN says, and for
 * the boxes that masks are predicted of, which go by what the box head says. Normalized by the running averages.
 */
export function detectionFunction({ detector, layout }: DetectorOnBatch): TensorFunction {
  const { config, running } = detector;
  const mode: NormalizationMode = { training: false, running };
  const architecture = architectureOf(config);
  const ofMasks: Record<string, InputSpec> | undefined = layout.masks && {
    ...alignmentSpecs(layout.masks),
    maskRows: { shape: ["mask regions"], dtype: "int32" },
  };
  return {
    inputs: { images: { shape: layout.images } },
    pauses: { regions: alignmentSpecs(layout.regions), ...(ofMasks && { masks: ofMasks }) },
    compute: ({ images }, pause) => {
      const features = architecture.features(detector, images as tf.Tensor4D, mode);
      const aligned = features.slice(0, architecture.alignedMaps);
      const regions = pause("regions", { ...regionProposalNetwork(detector, features) });
      const { vectors } = architecture.regions(detector, alignByInputs(layout.regions, aligned, regions), mode);
      const { logits, deltas } = predictBoxes(detector, vectors);
      const boxes = { scores: tf.softmax(logits), deltas };
      if (layout.masks === undefined) return boxes;
      const inputs = pause("masks", boxes);
      const maps = alignByInputs(layout.masks, aligned, inputs);
      const alignsAnew = architecture.maskResolution(config) !== undefined;
      const seen = alignsAnew ? maps : architecture.regions(detector, maps, mode).maps;
      const predicted = maskHead(detector.parameters, architecture.maskMaps(detector, seen));
      return { masks: tf.sigmoid(masksOfClass(predicted, inputs["maskRows"] as tf.Tensor1D)) };
    },
  };
}

/** Runs {@link detectionFunction}, recorded or not. */
export type RunDetection = (images: tf.Tensor4D, decisions: Decisions) => NamedTensors;

/**
 * What the detector finds in each image of a batch, with the running averages.
 *
 * @param run - by default operation by operation
 * @throws DivergedError if a region is not finite
 */
export function detectObjects(detector: Detector, batch: ImageBatch, run?: RunDetection): Detections[] {
  const on = { detector, layout: batchLayout(detector.config, batch.images.shape, "inference") };
  const { found, decisions } = decideOn(on, batch.sizes);
  const outputs =
    run?.(batch.images, decisions) ?? runOpByOp(detectionFunction(on), { images: batch.images }, decisions);
  try {
    return found(outputs);
  } finally {
    tf.dispose({ ...outputs });
  }
}

/** What decides at the pauses, and what is made of the outputs afterwards. */
function decideOn({ detector, layout }: DetectorOnBatch, sizes: readonly Size[]) {
  const { config } = detector;
  const { classes, proposals } = config;
  const { mapOf } = architectureOf(config);
  const align = (one: AlignmentLayout, boxes: readonly Boxes[]) =>
    alignmentInputs(one, withAtLeastOne(boxes), (some) => mapOf(config, some));
  let regions: readonly Boxes[] = [];
  let withBoxes: readonly Detections[] = [];
  const boxesIn = ({ scores, deltas }: NamedTensors): Detections[] => {
    const [likely, shifts] = [scores!.dataSync<"float32">(), deltas!.dataSync<"float32">()];
    let first = 0;
    return regions.map((boxes, image) => {
      const last = first + boxCount(boxes);
      const of = (values: Float32Array, each: number) => values.subarray(first * each, last * each);
      const ofImage = [boxes, of(likely, classes + 1), of(shifts, 4 * classes)] as const;
      first = last;
      return detectionsOf(...ofImage, sizes[image]!, config.detectionsPerImage);
    });
  };
  const decisions: Decisions = {
    regions: (rpn) => {
      regions = proposalsOf(rpn as unknown as RpnOutput, layout.anchors, sizes, proposals.inference);
      return align(layout.regions, regions);
    },
    masks: (outputs) => {
      withBoxes = boxesIn(outputs);
      const found = withBoxes.map(({ boxes }) => boxes);
      const labels = Int32Array.from(withBoxes.flatMap((one) => [...one.classes]));
      const shown = labels.length === 0 ? Int32Array.of(0) : labels;
      const rows = rowsOfClass(Int32Array.from(shown.keys()), shown, classes);
      return { ...align(layout.masks!, found), maskRows: tf.tensor1d(rows, "int32") };
    },
  };
  const found = (outputs: NamedTensors): Detections[] => {
    if (layout.masks === undefined) return boxesIn(outputs);
    const [, length] = outputs["masks"]!.shape as [number, number];
    const values = outputs["masks"]!.dataSync<"float32">();
    let first = 0;
    return withBoxes.map((detections) => {
      const masks = Array.from(detections.classes, () => values.subarray(first * length, ++first * length));
      return { ...detections, masks };
    });
  };
  return { found, decisions };
}

/** TensorFlow's convolutions give wrong shapes where there are no regions: they see one then, which nobody asks for. */
function withAtLeastOne(boxes: readonly Boxes[]): readonly Boxes[] {
  if (boxes.some(({ length }) => length > 0)) return boxes;
  return boxes.map((none, image) => (image === 0 ? Float32Array.of(0, 0, 1, 1) : none));
}
