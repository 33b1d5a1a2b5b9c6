import { statSync } from "node:fs";
import { join } from "node:path";
import { loadData, parseDataName } from "../data/load";
import { extractFeatures } from "../evaluate/extract";
import type { Features } from "../evaluate/features";
import { groupBootstrap, type Interval } from "../evaluate/intervals";
import { knn } from "../evaluate/knn";
import { linearProbe } from "../evaluate/linear-probe";
import { logisticRegression } from "../evaluate/logistic-regression";
import type { Score } from "../evaluate/score";
import { loadCheckpoint } from "../train/checkpoint";
import { checkpointFile } from "../train/pretrain";
import { recipeHash } from "../train/recipe";
import { disposeTraining } from "../train/state";
import type { EvaluateFlags } from "./evaluate";

/** One measure of a checkpoint, as `--json` prints it. */
interface Measure {
  readonly name: string;
  /** Settings that the number depends on. */
  readonly settings: Readonly<Record<string, number | boolean>>;
  readonly accuracy: Interval;
  readonly pictures: number;
}

/** The query encoder's features of a checkpoint's data set, and what they come from. */
interface CheckpointFeatures {
  readonly train: Features;
  readonly validation: Features;
  /** The part that the flags name. */
  readonly evaluated: Features;
  readonly classCount: number;
  readonly seed: number;
  readonly facts: Readonly<Record<string, string | number>>;
}

/** What `moco linear` does. */
export async function evaluateLinear(checkpoint: string, flags: EvaluateFlags): Promise<void> {
  const { train, validation, evaluated, facts, ...options } = await featuresOf(checkpoint, flags);
  const probe = linearProbe(train, validation, evaluated, options);
  const logistic = logisticRegression(train, validation, evaluated, options);
  print(flags, facts, [
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
  const { train, evaluated, facts, classCount } = await featuresOf(checkpoint, flags);
  print(flags, facts, [measure("kNN", { k, T: temperature }, knn(train, evaluated, { k, temperature, classCount }))]);
}

async function featuresOf(given: string, { dataRoot, part }: EvaluateFlags): Promise<CheckpointFeatures> {
  const isFolder = statSync(given, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const checkpoint = isFolder ? join(given, checkpointFile) : given;
  const { recipe, state } = loadCheckpoint(checkpoint);
  try {
    const data = await loadData(parseDataName(recipe.dataset), { root: dataRoot, size: recipe.imageSize });
    const encoder = state.method.encoder;
    const validation = extractFeatures(encoder, data, data.validation);
    return {
      train: extractFeatures(encoder, data, data.train),
      validation,
      evaluated: part === "validation" ? validation : extractFeatures(encoder, data, data.test),
      classCount: data.train.classes.length,
      seed: state.seed,
      facts: { checkpoint, recipe: recipe.name, recipeHash: recipeHash(recipe), seed: state.seed, step: state.step },
    };
  } finally {
    disposeTraining(state);
  }
}

function measure(name: string, settings: Measure["settings"], { correct, groups }: Score): Measure {
  return { name, settings, accuracy: groupBootstrap(correct, groups, { seed: 0 }), pictures: correct.length };
}

function print({ part, json }: EvaluateFlags, facts: CheckpointFeatures["facts"], measures: readonly Measure[]): void {
  if (json) return console.log(JSON.stringify({ ...facts, part, measures }, null, 2));
  console.log(`${facts["recipe"]}, seed ${facts["seed"]}, step ${facts["step"]}: query encoder on ${part}`);
  for (const one of measures) console.log(describe(one));
}

function describe({ name, settings, accuracy: { mean, low, high, kind }, pictures }: Measure): string {
  const percent = (share: number) => (100 * share).toFixed(1);
  const numbers = Object.entries(settings).filter(([, value]) => typeof value === "number");
  const warnings = [
    ...(settings["atEdge"] === true ? ["at the edge of the grid: a value outside might be better"] : []),
    ...(settings["converged"] === false ? ["not converged"] : []),
  ];
  return (
    `${name} (${[...numbers.map((setting) => setting.join(" = ")), ...warnings].join(", ")}): ${percent(mean)} %, ` +
    `95 % interval of ${kind} ${percent(low)} to ${percent(high)} %, ${pictures} pictures`
  );
}
