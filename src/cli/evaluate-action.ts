import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadData, parseDataName } from "../data/load";
import { InputError } from "../errors";
import { extractFeatures } from "../evaluate/extract";
import type { Features } from "../evaluate/features";
import { groupBootstrap, type Interval } from "../statistics/intervals";
import { knn } from "../evaluate/knn";
import { linearProbe } from "../evaluate/linear-probe";
import { logisticRegression } from "../evaluate/logistic-regression";
import type { Score } from "../evaluate/score";
import { holdsTraining, partsOf } from "../weights/checkpoint-names";
import { disposeEncoder, type Encoder } from "../nn/encoder";
import { describeEncoder, encoderOf } from "../weights/encoder-weights";
import { readWeights } from "../weights/weights-file";
import { loadCheckpoint } from "../train/checkpoint";
import { checkpointFile } from "../train/pretrain";
import { recipeHash } from "../train/recipe-hash";
import { disposeTraining } from "../train/state";
import { hasClasses } from "./enough-images";
import type { EvaluateFlags } from "./evaluate";

/** One measure of a checkpoint, as `--json` prints it. */
interface Measure {
  readonly name: string;
  /** Settings that the number depends on. */
  readonly settings: Readonly<Record<string, number | boolean>>;
  readonly accuracy: Interval;
  readonly images: number;
}

/** The query encoder's features of a checkpoint's data set, and what they come from. */
interface CheckpointFeatures {
  readonly train: Features;
  readonly validation: Features;
  /** The part that the flags name. */
  readonly evaluated: Features;
  readonly classCount: number;
  readonly seed: number;
  /** Which encoder it is, in words. */
  readonly title: string;
  readonly facts: Readonly<Record<string, string | number>>;
}

/** What `moco linear` does. */
export async function evaluateLinear(checkpoint: string, flags: EvaluateFlags): Promise<void> {
  const { train, validation, evaluated, title, facts, ...options } = await featuresOf(checkpoint, flags);
  const probe = linearProbe(train, validation, evaluated, options);
  const logistic = logisticRegression(train, validation, evaluated, options);
  print(flags, { title, facts }, [
    measure("linear probe", { learningRate: probe.rate, atEdge: probe.atEdge }, probe),
    measure(
      "logistic regression",
      { l2: logistic.l2, atEdge: logistic.atEdge, converged: logistic.converged },
      logistic,
    ),
  ]);
}

/** What `moco knn` does. */
export async function evaluateKnn(
  checkpoint: string,
  flags: EvaluateFlags & { readonly k: number; readonly temperature: number },
): Promise<void> {
  const { k, temperature } = flags;
  const { train, evaluated, classCount, ...what } = await featuresOf(checkpoint, flags);
  print(flags, what, [measure("kNN", { k, T: temperature }, knn(train, evaluated, { k, temperature, classCount }))]);
}

async function featuresOf(
  given: string,
  { dataRoot, part, data: name, size }: EvaluateFlags,
): Promise<CheckpointFeatures> {
  const ofRun = join(given, checkpointFile);
  const trained = openEncoder(existsSync(ofRun) ? ofRun : given);
  const { encoder, title, facts, seed } = trained;
  try {
    const dataset = name ?? trained.dataset ?? missingData(given);
    const data = await loadData(parseDataName(dataset), { root: dataRoot, size: size ?? trained.imageSize });
    if (!hasClasses(data)) {
      throw new InputError(
        `Cannot evaluate on ${dataset}: it must have folders of two classes or more, current count is 0`,
      );
    }
    const validation = extractFeatures(encoder, data, data.validation);
    return {
      train: extractFeatures(encoder, data, data.train),
      validation,
      evaluated: part === "validation" ? validation : extractFeatures(encoder, data, data.test),
      classCount: data.train.classes.length,
      seed,
      title,
      facts: { ...facts, data: dataset },
    };
  } finally {
    trained.dispose();
  }
}

/** An encoder to evaluate. */
interface TrainedEncoder {
  readonly encoder: Encoder;
  /** What it was trained on; unknown of weights without a recipe. */
  readonly dataset?: string;
  readonly imageSize?: number;
  /** Seed of the training, or 0. */
  readonly seed: number;
  readonly title: string;
  readonly facts: CheckpointFeatures["facts"];
  readonly dispose: () => void;
}

/** The encoder of our own checkpoint, or of a file with weights only, of this or another project. */
function openEncoder(checkpoint: string): TrainedEncoder {
  const weights = readWeights(checkpoint);
  if (!holdsTraining(weights.metadata)) {
    const parts = partsOf(weights, checkpoint);
    const encoder = encoderOf(parts, checkpoint);
    const leftOut = parts.leftOut.length > 0 ? ` (left out: ${parts.leftOut.join(", ")})` : "";
    return {
      encoder,
      seed: 0,
      title: describeEncoder(encoder.config) + leftOut,
      facts: { checkpoint, ...encoder.config },
      dispose: () => disposeEncoder(encoder),
    };
  }
  const { recipe, state } = loadCheckpoint(checkpoint);
  const { seed, step } = state;
  return {
    encoder: state.method.encoder,
    dataset: recipe.dataset,
    imageSize: recipe.imageSize,
    seed,
    title: `${recipe.name}, seed ${seed}, step ${step}`,
    facts: { checkpoint, recipe: recipe.name, recipeHash: recipeHash(recipe), seed, step },
    dispose: () => disposeTraining(state),
  };
}

function missingData(checkpoint: string): never {
  throw new InputError(
    `Cannot evaluate ${checkpoint}: it has weights, but no recipe that names a data set. Give one, for example --data cifar10`,
  );
}

function measure(name: string, settings: Measure["settings"], { correct, groups }: Score): Measure {
  return { name, settings, accuracy: groupBootstrap(correct, groups, { seed: 0 }), images: correct.length };
}

function print(
  { part, json }: EvaluateFlags,
  { title, facts }: Pick<CheckpointFeatures, "title" | "facts">,
  measures: readonly Measure[],
): void {
  if (json) return console.log(JSON.stringify({ ...facts, part, measures }, null, 2));
  console.log(`${title}: query encoder on ${part} of ${facts["data"]}`);
  for (const one of measures) console.log(describe(one));
}

function describe({ name, settings, accuracy: { mean, low, high, kind }, images }: Measure): string {
  const percent = (share: number) => (100 * share).toFixed(1);
  const numbers = Object.entries(settings).filter(([, value]) => typeof value === "number");
  const warnings = [
    ...(settings["atEdge"] === true ? ["at the edge of the grid: a value outside might be better"] : []),
    ...(settings["converged"] === false ? ["not converged"] : []),
  ];
  return (
    `${name} (${[...numbers.map((setting) => setting.join(" = ")), ...warnings].join(", ")}): ${percent(mean)} %, ` +
    `95 % interval of ${kind} ${percent(low)} to ${percent(high)} %, ${images} images`
  );
}
