import { describe, expect, it } from "vitest";
import { batchLayout } from "../../../src/detection/model/batch-layout";
import { architectureOf } from "../../../src/detection/model/detector";
import { drawSamples, mapLosses, type DetectorLosses } from "../../../src/detection/model/faster-rcnn";
import { regionProposalLosses, regionProposalNetwork } from "../../../src/detection/model/region-proposal-network";
import { roiLosses } from "../../../src/detection/model/roi-heads";
import {
  detectorWeightDecay,
  disposeDetectorTraining,
  startDetectorTraining,
} from "../../../src/detection/train/detector-training";
import { DetectorTrainingStep } from "../../../src/detection/train/take-detector-step";
import { readTrainingBatch } from "../../../src/detection/train/training-batches";
import { randomStream } from "../../../src/engine/random";
import { tf } from "../../../src/engine/tf";
import { gradientsOf } from "../../../src/nn/gradients";
import { trainingMode, updateRunningAverages, type LayerStatistics } from "../../../src/nn/running-averages";
import { withMasks } from "../../../src/recipes/detection-presets";
import { tinyDetection, tinyInitialization, tinySet } from "../tiny-detection";

const set = tinySet();
const recipe = withMasks(tinyDetection());
const learningRate = 0.01;
const start = () => startDetectorTraining(recipe, ["even", "odd"], tinyInitialization, 1);
const readBatch = () => readTrainingBatch(set, set.images.slice(0, 2), recipe, randomStream(1, "augment"));

describe("a detector's step", () => {
  it("is the same out of its parts, as notebooks 06 and 07 put it together, and leaves no tensor behind", async () => {
    const whole = start();
    const step = new DetectorTrainingStep(whole, recipe, []);
    const expected = step.take(await readBatch(), randomStream(1, "regions"), learningRate, 1);

    const parts = start();
    const { detector, optimizer } = parts;
    const batch = await readBatch();
    const before = tf.memory().numTensors;
    const losses = tf.tidy(() => {
      const statistics: LayerStatistics[] = [];
      const mode = trainingMode(statistics);
      const on = { detector, layout: batchLayout(detector.config, batch.images.shape, "training") };
      let found: DetectorLosses<number> | undefined;
      const { gradients } = gradientsOf([detector.parameters], () => {
        const maps = architectureOf(detector.config).features(detector, batch.images, mode);
        const rpn = regionProposalNetwork(detector, maps);
        const samples = drawSamples(on, rpn, batch, randomStream(1, "regions"));
        const scalars = {
          ...regionProposalLosses(rpn, samples, detector.config.anchorsPerImage),
          ...roiLosses(on, maps, samples, mode),
        };
        found = mapLosses(scalars, (loss) => loss.dataSync()[0]!);
        return tf.addN<tf.Scalar>(Object.values(scalars) as tf.Scalar[]);
      });
      updateRunningAverages(detector, statistics, 1);
      const weightDecay = detectorWeightDecay(detector, recipe.weightDecay);
      optimizer.apply(detector.parameters, gradients[0]!, { learningRate, momentum: recipe.momentum, weightDecay });
      return { ...found! } as Record<string, number>;
    });
    expect(tf.memory().numTensors).toBe(before);
    expect(losses).toEqual(expected);
    expect(detector.parameters.values.dataSync()).toEqual(whole.detector.parameters.values.dataSync());
    expect(detector.running.values.dataSync()).toEqual(whole.detector.running.values.dataSync());

    batch.images.dispose();
    step.dispose();
    [whole, parts].forEach(disposeDetectorTraining);
  });
});
