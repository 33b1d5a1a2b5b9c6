/** The kit's side of bench/detector.ts: answers lines of JSON on stdin with lines on stdout, as detector.py does. */
import { createInterface } from "node:readline";
import { architectureOf, createDetector, type Detector } from "../src/detection/model/detector";
import { DetectorTrainingStep } from "../src/detection/train/take-detector-step";
import { batchLayout } from "../src/detection/model/batch-layout";
import type { TrainingBatch } from "../src/detection/model/faster-rcnn";
import { encodeMask, type Rle } from "../src/detection/structures/mask-rle";
import { proposalsOf, regionProposalNetwork } from "../src/detection/model/region-proposal-network";
import { sampleRois, type RoiSample } from "../src/detection/model/training-samples";
import { randomStream } from "../src/engine/random";
import { tf } from "../src/engine/tf";
import { createEncoder, disposeEncoder } from "../src/nn/encoder";
import { disposeStatistics, trainingMode, type LayerStatistics } from "../src/nn/running-averages";
import { Sgd } from "../src/train/sgd";
import type { DetectorAnswer, DetectorRequest, DetectorShape } from "./detector";

function buildDetector(shape: DetectorShape): Detector {
  const backbone = { architecture: shape.architecture, width: shape.width, stem: "imagenet" } as const;
  const encoder = createEncoder({ ...backbone, head: "linear", dimension: 128 }, randomStream(0, "encoder"));
  const limits = { beforeNms: shape.before_nms, afterNms: shape.after_nms };
  const detector = createDetector(
    {
      arch: "fpn",
      backbone,
      classes: shape.classes,
      anchorSizes: shape.anchor_sizes,
      proposals: { training: limits, inference: limits },
      anchorsPerImage: 256,
      roisPerImage: shape.rois,
      roiResolution: 7,
      ...(shape.masks && { masks: true as const }),
    },
    encoder,
    randomStream(0, "heads"),
  );
  disposeEncoder(encoder);
  return detector;
}

function buildBatch({ batch, size, truths, masks }: DetectorShape): TrainingBatch {
  return {
    images: tf.randomNormal([batch, size, size, 3]),
    sizes: truths.map(() => ({ height: size, width: size })),
    truths: truths.map(({ boxes, classes }) => ({
      boxes: Float32Array.from(boxes.flat()),
      classes: Int32Array.from(classes),
      ...(masks && { masks: boxes.map((box) => ellipse(box, size)) }),
    })),
  };
}

/** The pixels whose centers lie in the ellipse that fills a box. */
function ellipse([x1, y1, x2, y2]: readonly number[], size: number): Rle {
  const inside = (x: number, y: number) =>
    ((2 * x - x1! - x2!) / (x2! - x1!)) ** 2 + ((2 * y - y1! - y2!) / (y2! - y1!)) ** 2 <= 1;
  const pixels = Uint8Array.from({ length: size * size }, (_, at) =>
    Number(inside((at % size) + 0.5, Math.floor(at / size) + 0.5)),
  );
  return encodeMask(pixels, size, size);
}

/** How many regions a step's heads see, and how many of them lie on objects: not part of what is timed. */
function countRegions(detector: Detector, { images, sizes, truths }: TrainingBatch) {
  const statistics: LayerStatistics[] = [];
  const { config } = detector;
  const samples: RoiSample[] = [];
  tf.tidy(() => {
    const features = architectureOf(config).features(detector, images, trainingMode(statistics));
    const { anchors } = batchLayout(config, images.shape, "training");
    const proposals = proposalsOf(regionProposalNetwork(detector, features), anchors, sizes, config.proposals.training);
    proposals.forEach((boxes, image) => {
      const random = randomStream(0, "sample");
      samples.push(sampleRois(boxes, truths[image]!, config.classes, config.roisPerImage, random));
    });
  });
  disposeStatistics(statistics);
  return {
    regions: samples.reduce((sum, { classes }) => sum + classes.length, 0),
    objects: samples.reduce((sum, { groundTruth }) => sum + groundTruth.length, 0),
  };
}

async function main(): Promise<void> {
  let take: ((count: number) => DetectorAnswer) | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    const { configure, steps } = JSON.parse(line) as DetectorRequest;
    if (configure !== undefined) {
      const [detector, batch] = [buildDetector(configure), buildBatch(configure)];
      const optimizer = Sgd.create(detector.parameters);
      const options = { momentum: 0.9, weightDecay: 1e-4 };
      const step = new DetectorTrainingStep({ detector, optimizer }, options, [batch.images.shape]);
      let index = 0;
      // The rate is so low that the network, and with it the number of regions on objects, stays what it was.
      const next = () =>
        step.take({ ...batch, images: tf.clone(batch.images) }, randomStream(0, "sample", index++), 1e-4, index);
      for (let warmUp = 0; warmUp < 3; warmUp++) next();
      take = (count) => {
        const seconds = Array.from({ length: count }, () => {
          const start = performance.now();
          next();
          return (performance.now() - start) / 1000;
        });
        const megabytes = process.resourceUsage().maxRSS / 1024;
        return { seconds, megabytes, ...countRegions(detector, batch) };
      };
    }
    console.log(JSON.stringify(steps === undefined ? { ready: true } : take!(steps)));
  }
}

void main();
