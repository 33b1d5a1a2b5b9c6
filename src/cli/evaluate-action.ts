import { percent, percentValue } from "../display/percent";
import { extractFeatures } from "../evaluate/extract";
import type { Features } from "../evaluate/features";
import { knn } from "../evaluate/knn";
import { linearProbe } from "../evaluate/linear-probe";
import { assertClassifiable } from "../evaluate/linear-recipe";
import { logisticRegression } from "../evaluate/logistic-regression";
import type { Score } from "../evaluate/score";
import { groupBootstrap, type Interval } from "../statistics/intervals";
import type { EvaluateFlags } from "./evaluate";
import { evaluationData, openEncoder } from "./open-encoder";

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

/** What `moco linear` does by its fast protocol. */
export async function evaluateLinear(checkpoint: string, flags: EvaluateFlags): Promise<void> {
  const { train, validation, evaluated, title, facts, ...options } = await featuresOf(checkpoint, flags);
  const probe = linearProbe(train, validation, evaluated, options);
  const logistic = logisticRegression(train, validation, evaluated, options);
  print(flags, { title, facts }, [
    measure("fast linear probe", { learningRate: probe.rate, atEdge: probe.atEdge }, probe),
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

async function featuresOf(given: string, flags: EvaluateFlags): Promise<CheckpointFeatures> {
  const opened = openEncoder(given);
  const { encoder, title, facts, seed } = opened;
  try {
    const { data, dataset } = await evaluationData(opened, flags, given);
    assertClassifiable({ dataset, part: flags.part }, data);
    const validation = extractFeatures(encoder, data, data.validation);
    return {
      train: extractFeatures(encoder, data, data.train),
      validation,
      evaluated: flags.part === "validation" ? validation : extractFeatures(encoder, data, data.test),
      classCount: data.train.classes.length,
      seed,
      title,
      facts: { ...facts, data: dataset },
    };
  } finally {
    opened.dispose();
  }
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
  const numbers = Object.entries(settings).filter(([, value]) => typeof value === "number");
  const warnings = [
    ...(settings["atEdge"] === true ? ["at the edge of the grid: a value outside might be better"] : []),
    ...(settings["converged"] === false ? ["not converged"] : []),
  ];
  return (
    `${name} (${[...numbers.map((setting) => setting.join(" = ")), ...warnings].join(", ")}): ${percent(mean)}, ` +
    `95 % interval of ${kind} ${percentValue(low)} to ${percent(high)}, ${images} images`
  );
}
