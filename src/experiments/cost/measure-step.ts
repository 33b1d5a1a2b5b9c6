import type { DetectionRecipe } from "../../detection/detection-recipe";
import { detectionRateAt } from "../../detection/detection-schedule";
import { disposeDetectorTraining, startDetectorTraining } from "../../detection/train/detector-training";
import { DetectorTrainingStep } from "../../detection/train/take-detector-step";
import type { BatchShape } from "../../detection/model/batch-layout";
import { totalLoss } from "../../detection/model/faster-rcnn";
import { readTrainingBatch } from "../../detection/train/training-batches";
import { randomStream } from "../../engine/random";
import { ClassifierProgram, disposeClassifier, startClassifier } from "../../evaluate/linear-classifier";
import type { LinearRecipe } from "../../evaluate/linear-recipe";
import { drawLinearView } from "../../evaluate/train-linear";
import { createEncoder, disposeEncoder, type EncoderConfig } from "../../nn/encoder";
import { tf } from "../../engine/tf";
import { detectorInitialization } from "../../runs/detector-initialization";
import { drawBatch } from "../../train/draw-batch";
import type { Recipe } from "../../train/recipe";
import { learningRateAt } from "../../train/schedule";
import type { TrainingSetFacts } from "../../methods/method";
import { disposeTraining, startTraining } from "../../train/state";
import { TrainingStep } from "../../train/take-step";
import type { PlannedTraining } from "./planned-training";
import { randomDetectionSet, randomImageData } from "./random-images";
import { largestSize } from "./training-plan";

/** What a step of a training costs on this machine. */
export interface MeasuredStep {
  readonly batchSize: number;
  /** Median over the timed steps, with everything but the reading of files. */
  readonly secondsAStep: number;
  /**
   * Cores that the process had on average in the timed steps. Far fewer than there are, and the machine was busy with other
   * work: the time is too long by about as much.
   */
  readonly cores: number;
  readonly timedSteps: number;
  /** Of the last step, on noise: finite, and says nothing else. */
  readonly loss: number;
  /** Peak memory before the first step: what there is without an image. */
  readonly startBytes: number;
  /** What is held from step to step: networks, velocities, queue or bank. */
  readonly heldBytes: number;
  /** The most memory that the process has ever had (resident set); the memory of a GPU is not in it. */
  readonly peakBytes: number;
}

/** Steps are timed until there are so many, or they have taken so long. */
const mostTimedSteps = 5;
const secondsOfTiming = 10;

/**
 * Goes through a training without its data: starts it, and takes a few steps on random images of the recipe's size by the
 * functions that training takes them by. The first step is not timed. Nothing is kept.
 *
 * Peak memory is that of the process, so call this once in a process of its own.
 *
 * @throws DivergedError if a loss is not a number
 */
export async function measureStep(training: PlannedTraining): Promise<MeasuredStep> {
  const { batchSize } = training.recipe;
  const started =
    training.task === "pre-training"
      ? startPretraining(training.recipe, training.set)
      : training.task === "detection"
        ? startDetector(training.recipe, training.set)
        : startLinear(training.recipe, training.encoder, training.set);
  const startBytes = peakOfProcess();
  try {
    const heldBytes = tf.memory().numBytes;
    let loss = await started.step(0);
    const times: number[] = [];
    const start = performance.now();
    const cpuBefore = process.cpuUsage();
    do {
      const before = performance.now();
      loss = await started.step(times.length + 1);
      times.push((performance.now() - before) / 1000);
    } while (times.length < mostTimedSteps && performance.now() - start < secondsOfTiming * 1000);
    const cpu = process.cpuUsage(cpuBefore);
    return {
      batchSize,
      cores: (cpu.user + cpu.system) / 1000 / (performance.now() - start),
      secondsAStep: median(times),
      timedSteps: times.length,
      loss,
      startBytes,
      heldBytes,
      peakBytes: peakOfProcess(),
    };
  } finally {
    started.dispose();
  }
}

/** A training at its start. */
interface Started {
  /** Takes a step and gives its loss. */
  readonly step: (step: number) => Promise<number>;
  readonly dispose: () => void;
}

function startPretraining(recipe: Recipe, set: TrainingSetFacts): Started {
  const { batchSize, schedule, learningRate: baseRate, epochs } = recipe;
  const data = randomImageData(recipe.imageSize, batchSize, set.classes);
  const state = startTraining(recipe, { seed: 0, data: { ...set, checksum: data.checksum } });
  const trainingStep = new TrainingStep(state, recipe.optimizer);
  return {
    step: (step) => {
      const epoch = step / Math.floor(set.images / batchSize);
      const rate = learningRateAt(schedule, { baseRate, epoch, epochs });
      const { loss } = trainingStep.take(
        drawBatch(data, recipe, { seed: 0, step, views: state.method.views }),
        rate,
        `step ${step + 1}`,
      );
      return Promise.resolve(loss);
    },
    dispose: () => {
      trainingStep.dispose();
      disposeTraining(state);
    },
  };
}

function startLinear(recipe: LinearRecipe, config: EncoderConfig, set: TrainingSetFacts): Started {
  const { batchSize, imageSize, learningRate } = recipe;
  const data = randomImageData(imageSize, batchSize, set.classes);
  const encoder = createEncoder(config, randomStream(0, "initialization"));
  const classifier = startClassifier(encoder, set.classes, 0, recipe);
  const program = new ClassifierProgram(encoder, classifier, recipe, { batchSizes: [batchSize], size: imageSize });
  const indices = Int32Array.from({ length: batchSize }, (_, index) => index);
  return {
    step: (step) => {
      const images = drawLinearView(data, indices, 0, step);
      const { loss } = program.step(images, data.train.labels, learningRate);
      images.dispose();
      return Promise.resolve(loss);
    },
    dispose: () => {
      program.dispose();
      disposeClassifier(classifier);
      disposeEncoder(encoder);
    },
  };
}

function startDetector(recipe: DetectionRecipe, set: TrainingSetFacts): Started {
  const { batchSize, schedule, learningRate } = recipe;
  const size = largestSize(recipe.images);
  const data = randomDetectionSet(size, batchSize, set.classes);
  const largest = { ...recipe, images: { ...recipe.images, trainShortest: [size.height] } };
  const names = data.categories.map(({ name }) => name);
  const training = startDetectorTraining(recipe, names, detectorInitialization("random", recipe, 0), 0);
  // Batches of drawn lengths, or of photographs, seldom have one shape: what is not recorded takes longer.
  const shapes: BatchShape[] =
    recipe.dataset.kind === "scenes" && recipe.images.trainShortest.length === 1
      ? [[batchSize, size.height, size.width, 3]]
      : [];
  const trainingStep = new DetectorTrainingStep(training, recipe, shapes);
  return {
    step: async (step) => {
      const batch = await readTrainingBatch(data, data.images, largest, randomStream(0, "augment", step));
      const rate = detectionRateAt(schedule, learningRate, step);
      return totalLoss(trainingStep.take(batch, randomStream(0, "regions", step), rate, step + 1));
    },
    dispose: () => {
      trainingStep.dispose();
      disposeDetectorTraining(training);
    },
  };
}

/** In bytes. */
function peakOfProcess(): number {
  return process.resourceUsage().maxRSS * 1024;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
