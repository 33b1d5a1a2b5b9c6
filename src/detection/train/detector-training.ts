import { z } from "zod";
import { randomStream } from "../../engine/random";
import { tf } from "../../engine/tf";
import { disposeEncoder, type Encoder } from "../../nn/encoder";
import { Sgd } from "../../train/sgd";
import type { DetectionRecipe } from "../detection-recipe";
import { createDetector, disposeDetector, type Detector } from "../model/detector";
import { mapLosses, type DetectorLosses } from "../model/faster-rcnn";

/** Points of a training curve: enough to draw, few enough to keep in a small file. */
const curvePoints = 100;

const losses = {
  objectness: z.number(),
  rpnBox: z.number(),
  classification: z.number(),
  box: z.number(),
  mask: z.number().optional(),
} satisfies Record<keyof DetectorLosses<number>, z.ZodTypeAny>;

export const curveSchema = z.array(z.object({ step: z.number(), ...losses }));
export const validationsSchema = z.array(z.object({ step: z.number(), ap50: z.number().nullable() }));

export const historySchema = z.object({
  curve: curveSchema,
  validations: validationsSchema,
  pending: z.object({ ...losses, steps: z.number() }),
});

/** What the training of a detector has written down so far. */
export interface DetectorHistory {
  /** Means of the losses over the steps since the point before. */
  readonly curve: readonly (DetectorLosses<number> & { readonly step: number })[];
  /** AP50 on the validation part, 0 to 1; null where nothing is to be found. */
  readonly validations: readonly { readonly step: number; readonly ap50: number | null }[];
  /** Sums over the steps since the last point of the curve. */
  readonly pending: DetectorLosses<number> & { readonly steps: number };
}

export const initializationSchema = z.object({
  /** "random", "supervised", or the name of a file. */
  name: z.string().min(1),
  /** SHA-256 of the encoder's weights and running averages, in hexadecimal; null for random weights. */
  checksum: z.string().nullable(),
});

/** Where a detector's backbone comes from. */
export type InitializationName = Readonly<z.infer<typeof initializationSchema>>;

/** An initialization, with the way to it. */
export interface Initialization extends InitializationName {
  /** The encoder that the backbone is taken from; the caller disposes it. */
  readonly createEncoder: () => Encoder;
}

/**
 * Everything that the training of a detector carries from step to step; what a checkpoint holds. Random numbers have no
 * state: each is a function of the seed, its purpose and the step.
 *
 * Owns its tensors: call {@link disposeDetectorTraining}.
 */
export interface DetectorTraining {
  readonly detector: Detector;
  /** Names, in the order of the detector's classes. */
  readonly categories: readonly string[];
  readonly optimizer: Sgd;
  readonly initialization: InitializationName;
  readonly seed: number;
  /** Steps done. */
  step: number;
  /** Step after which the running averages were last estimated by precise BN, and the reading taken; 0 for none. */
  averagedAt: number;
  history: DetectorHistory;
  /** Time spent, over all interruptions. */
  seconds: number;
}

const noLosses: DetectorHistory["pending"] = { objectness: 0, rpnBox: 0, classification: 0, box: 0, steps: 0 };

/**
 * The state before the first step.
 *
 * @throws InputError if the encoder's network is another than the recipe's backbone
 */
export function startDetectorTraining(
  recipe: DetectionRecipe,
  categories: readonly string[],
  { name, checksum, createEncoder }: Initialization,
  seed: number,
): DetectorTraining {
  const encoder = createEncoder();
  try {
    const config = { ...recipe.detector, classes: categories.length };
    const detector = createDetector(config, encoder, randomStream(seed, "heads"));
    return {
      detector,
      categories,
      optimizer: Sgd.create(detector.parameters),
      initialization: { name, checksum },
      seed,
      step: 0,
      averagedAt: 0,
      history: { curve: [], validations: [], pending: noLosses },
      seconds: 0,
    };
  } finally {
    disposeEncoder(encoder);
  }
}

export function disposeDetectorTraining({ detector, optimizer }: DetectorTraining): void {
  disposeDetector(detector);
  optimizer.dispose();
}

/** Writes the losses of the last step down. */
export function recordLosses(training: DetectorTraining, losses: DetectorLosses<number>, totalSteps: number): void {
  const { curve, pending } = training.history;
  const steps = pending.steps + 1;
  const over = (divisor: number) => mapLosses(losses, (loss, name) => ((pending[name] ?? 0) + loss) / divisor);
  const interval = Math.max(1, Math.round(totalSteps / curvePoints));
  training.history =
    steps < interval && training.step < totalSteps
      ? { ...training.history, pending: { ...over(1), steps } }
      : { ...training.history, curve: [...curve, { step: training.step, ...over(steps) }], pending: noLosses };
}

/**
 * Weight decay of each number of the parameter vector, [size]: none on the scales and offsets of batch normalization
 * (WEIGHT_DECAY_NORM 0 of detectron2), biases have it. The caller disposes it.
 */
export function detectorWeightDecay({ parameters, running }: Detector, weightDecay: number): tf.Tensor1D {
  const norms = new Set(running.entries.map(({ name }) => name.replace(/\.running_(mean|var)$/, "")));
  const decay = new Float32Array(parameters.size).fill(weightDecay);
  let first = 0;
  parameters.entries.forEach(({ name }, index) => {
    const { size } = parameters.tensors[index]!;
    if (norms.has(name.replace(/\.(weight|bias)$/, ""))) decay.fill(0, first, first + size);
    first += size;
  });
  return tf.tensor1d(decay);
}
