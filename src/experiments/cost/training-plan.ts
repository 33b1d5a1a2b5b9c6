import { detectionRateAt } from "../../detection/detection-schedule";
import type { Size } from "../../detection/structures/boxes";
import type { ImageRecipe } from "../../detection/detection-recipe";
import { detectorParameters } from "../../detection/model/detector";
import { tf } from "../../engine/tf";
import { encoderParameters } from "../../nn/encoder";
import type { TensorEntry } from "../../nn/parameters";
import { classifierParameters } from "../../evaluate/linear-classifier";
import { linearBatches } from "../../evaluate/train-linear";
import { learningRateAt } from "../../train/schedule";
import { methodOf } from "../../methods";
import type { PlannedTraining } from "./planned-training";

/** What a training amounts to: all that is known of it before a step is taken. */
export interface TrainingPlan {
  readonly name: string;
  /** Where the recipe's values come from. */
  readonly source: string;
  readonly task: PlannedTraining["task"];
  /** In the training set. */
  readonly images: number;
  readonly batchSize: number;
  readonly iterations: number;
  readonly epochs: number;
  /** Over the whole training, the same image counted each time. */
  readonly imagesSeen: number;
  /** Of an image as the network gets it; the largest, where recipes draw sizes. */
  readonly size: Size;
  /** Trainable numbers, of all networks that the optimizer moves. */
  readonly parameters: number;
  /** Learning rate at the first and at the last iteration. */
  readonly rates: { readonly first: number; readonly last: number };
}

/** What a training amounts to. */
export function planOf(training: PlannedTraining): TrainingPlan {
  const { task, set } = training;
  const { name, source, batchSize } = training.recipe;
  const shared = { name, source, task, images: set.images, batchSize };
  if (training.task === "linear classification") {
    const { recipe, encoder } = training;
    const { epochs, imageSize, schedule, learningRate: baseRate } = recipe;
    return {
      ...shared,
      iterations: epochs * linearBatches(set.images, batchSize),
      epochs,
      imagesSeen: epochs * set.images,
      size: { height: imageSize, width: imageSize },
      parameters: countOf(classifierParameters({ config: encoder }, set.classes)),
      rates: {
        first: learningRateAt(schedule, { baseRate, epoch: 0, epochs }),
        last: learningRateAt(schedule, { baseRate, epoch: epochs - 1, epochs }),
      },
    };
  }
  if (training.task === "pre-training") {
    const { recipe } = training;
    const { epochs, schedule, learningRate: baseRate } = recipe;
    // The rest of the images is dropped, as training does.
    const perEpoch = Math.floor(set.images / batchSize);
    const iterations = epochs * perEpoch;
    const rateAt = (step: number) => learningRateAt(schedule, { baseRate, epoch: step / perEpoch, epochs });
    return {
      ...shared,
      iterations,
      epochs,
      imagesSeen: iterations * batchSize,
      size: { height: recipe.imageSize, width: recipe.imageSize },
      parameters: methodOf(recipe.method).trained.length * countOf(encoderParameters(recipe.encoder)),
      rates: { first: rateAt(0), last: rateAt(iterations - 1) },
    };
  }
  const { recipe } = training;
  const { schedule, learningRate } = recipe;
  const { iterations } = schedule;
  return {
    ...shared,
    iterations,
    epochs: (iterations * batchSize) / set.images,
    imagesSeen: iterations * batchSize,
    size: largestSize(recipe.images),
    parameters: countOf(detectorParameters({ ...recipe.detector, classes: set.classes })),
    rates: {
      first: detectionRateAt(schedule, learningRate, 0),
      last: detectionRateAt(schedule, learningRate, iterations - 1),
    },
  };
}

/**
 * The largest image that a detector is trained on. A batch is padded to its highest and widest image: with sixteen of
 * different shapes it is nearly always about as large.
 */
export function largestSize({ trainShortest, longest }: ImageRecipe): Size {
  return { height: Math.min(Math.max(...trainShortest), longest), width: longest };
}

function countOf(entries: readonly TensorEntry[]): number {
  return entries.reduce((sum, { shape }) => sum + tf.util.sizeFromShape([...shape]), 0);
}
