import type { Evaluation } from "../../evaluate/evaluate-features";
import { groupBootstrap, pairedGroupBootstrap, seedInterval, type Interval } from "../../statistics/intervals";
import { sameBackbone } from "../../nn/resnet-layout";
import type { Baselines, RandomNetworks } from "../../runs/baselines";
import type { QueueOverlap, RunRecord } from "../../runs/run-record";
import type { Ablation, Cell } from "./ablation";
import type { Published } from "../../paper/published-ablations";
import { agreement, meanBySeed, verdictSeeds, type Agreement, type SeededScores } from "../../statistics/agreement";
import { meanOf } from "../../statistics/mean";

/** The columns of numbers: what a frozen encoder is worth by each measure, on test. */
export const metricNames = ["linear", "logistic", "knn", "retrieval"] as const;
export type MetricName = (typeof metricNames)[number];

/** One row of the table as it came out. */
export interface ResultRow {
  readonly label: string;
  readonly published: Published | undefined;
  readonly publishedAt: string | undefined;
  readonly claimed: string | undefined;
  /** Seeds behind the numbers; 0 for rows that stand as published only. */
  readonly seeds: number;
  readonly metrics: Readonly<Partial<Record<MetricName, Interval>>>;
  readonly agreement: Readonly<Partial<Record<MetricName, Agreement>>>;
  /** Loss of the method, mean over the last fifth of training and over seeds; undefined for a network that is not trained. */
  readonly finalLoss: number | undefined;
  readonly queueOverlap: QueueOverlap | undefined;
  /** K / N: size of the queue over training images; undefined for a method without a queue. */
  readonly queueShare: number | undefined;
  /** Why the cell failed by the kit's rule, or why the row was not run; undefined for a cell that trained. */
  readonly failure: string | undefined;
  readonly runs: readonly RunRecord[];
}

/** An ablation with its numbers. */
export interface AblationResult {
  readonly ablation: Ablation;
  readonly rows: readonly ResultRow[];
  readonly publishedOnly: Ablation["publishedOnly"];
  readonly baselines: {
    /** A row a backbone. */
    readonly randomNetworks: readonly BaselineRow[];
    readonly pixels: BaselineRow;
  };
}

export interface BaselineRow {
  readonly label: string;
  /** Names of the evaluations that it is made of. */
  readonly names: readonly string[];
  readonly metrics: Readonly<Partial<Record<MetricName, Interval>>>;
}

/**
 * Puts runs beside what the paper published.
 *
 * @param runs - the runs of each cell, in the order of the ablation's cells, none for a cell not run yet; seeds in the
 *   same order in every cell
 */
export function ablationResult(
  ablation: Ablation,
  runs: readonly (readonly RunRecord[])[],
  baselines: Baselines,
): AblationResult {
  const referenceIndex = ablation.cells.findIndex(({ label }) => label === ablation.referenceLabel);
  const reference = { cell: ablation.cells[referenceIndex]!, runs: runs[referenceIndex]! };
  return {
    ablation,
    rows: ablation.cells.map((cell, index) => resultRow(cell, runs[index]!, reference, baselines)),
    publishedOnly: ablation.publishedOnly,
    baselines: {
      randomNetworks: baselines.randomNetworks.map((networks) => randomNetworkRow(networks, baselines.randomNetworks)),
      pixels: {
        label: "pixels",
        names: baselines.pixels ? ["pixels"] : [],
        metrics: metricsOf(baselines.pixels ? [baselines.pixels] : []),
      },
    },
  };
}

function randomNetworkRow(
  { backbone: { architecture, width }, names, evaluations }: RandomNetworks,
  all: Baselines["randomNetworks"],
): BaselineRow {
  const network = all.length === 1 ? "network" : `${architecture} of width ${width}`;
  return {
    label: `random ${network}, ${evaluations.length || "no"} draws`,
    names: names.slice(0, evaluations.length).map(({ name }) => name),
    metrics: metricsOf(evaluations),
  };
}

function resultRow(
  cell: Cell,
  runs: readonly RunRecord[],
  reference: { readonly cell: Cell; readonly runs: readonly RunRecord[] },
  baselines: Baselines,
): ResultRow {
  const evaluations = evaluationsOf(runs);
  const complete = runs.length > 0 && evaluations.length === runs.length;
  const referenceEvaluations = evaluationsOf(reference.runs);
  const comparable = complete && cell !== reference.cell && referenceEvaluations.length === runs.length;
  const published = publishedDifference(cell.published, reference.cell.published);
  const compared = metricNames.flatMap((metric) => {
    const ours = scoresOf(evaluations, metric);
    const theirs = scoresOf(referenceEvaluations, metric);
    return comparable && ours && theirs ? [[metric, agreement(ours, theirs, published)] as const] : [];
  });
  const [first] = runs;
  const { method } = cell.recipe;
  return {
    label: cell.label,
    published: cell.published,
    publishedAt: cell.publishedAt,
    claimed: cell.claimed,
    seeds: runs.length,
    metrics: complete ? metricsOf(evaluations) : {},
    agreement: Object.fromEntries(compared),
    finalLoss: method.kind === "random" ? undefined : meanLoss(runs, "last fifth", 0),
    queueOverlap: first?.queueOverlap,
    queueShare: first && method.kind === "moco" ? method.queueSize / first.manifest.data.trainImages : undefined,
    failure: failureOf(cell, runs, evaluations, baselines),
    runs,
  };
}

/** Sign of the paper's difference: a failed training is worse than any that did not fail. */
function publishedDifference(cell: Published | undefined, reference: Published | undefined): number | undefined {
  if (cell === undefined || reference === undefined) return undefined;
  const [ours, theirs] = [cell, reference].map(({ value }) => (value === "fail" ? -Infinity : value)) as [
    number,
    number,
  ];
  return ours === theirs ? 0 : ours - theirs;
}

/**
 * The kit's rule for a failed cell: training diverged, or its encoder does not retrieve better than random networks by
 * the paired interval, or its loss did not fall (with a queue or a memory bank: after it was full of real keys).
 */
function failureOf(
  cell: Cell,
  runs: readonly RunRecord[],
  evaluations: readonly Evaluation[],
  baselines: Baselines,
): string | undefined {
  const diverged = runs.find((run) => run.diverged !== undefined);
  if (diverged) return `failed: ${diverged.diverged}`;
  if (runs.length === 0) return "not run yet";
  if (cell.recipe.method.kind === "random") return undefined;
  const trained = scoresOf(evaluations, "retrieval");
  const own = baselines.randomNetworks.find(({ backbone }) => sameBackbone(backbone, cell.recipe.encoder));
  const random = scoresOf(own?.evaluations ?? [], "retrieval");
  if (trained && !random) return "not judged yet: the random networks are not evaluated";
  if (trained && random) {
    const { low } = pairedGroupBootstrap(meanBySeed(trained.correct), meanBySeed(random.correct), trained.groups, {
      seed: 0,
    });
    if (low <= 0) return "failed: retrieval is not above the random network";
  }
  const dictionary = dictionaryOf(cell, runs[0]!);
  const stepsToFill = dictionary?.stepsToFill ?? 0;
  const before = meanLoss(runs, "first fifth", stepsToFill);
  const after = meanLoss(runs, "last fifth", stepsToFill);
  if (before === undefined || after === undefined) {
    return `not judged: training ended before ${dictionary ? `the ${dictionary.name} was full` : "a loss was written"}`;
  }
  if (after < before) return undefined;
  const losses = `${before.toFixed(2)}, then ${after.toFixed(2)}`;
  return `failed: the loss did not fall${dictionary ? ` once the ${dictionary.name} was full` : ""} (${losses})`;
}

/** What starts with random keys, and after how many steps it has real ones only; undefined for other methods. */
function dictionaryOf(
  { recipe: { method, batchSize, epochs } }: Cell,
  { manifest }: RunRecord,
): { readonly name: string; readonly stepsToFill: number } | undefined {
  switch (method.kind) {
    case "moco":
      return { name: "queue", stepsToFill: method.queueSize / batchSize };
    case "memory-bank":
      return { name: "bank", stepsToFill: manifest.steps / epochs };
    default:
      return undefined;
  }
}

/**
 * Mean loss over a fifth of the whole training and over runs: the last fifth, or the first after the queue was full.
 * Undefined if no run got so far.
 */
function meanLoss(
  runs: readonly RunRecord[],
  part: "first fifth" | "last fifth",
  stepsToFill: number,
): number | undefined {
  const losses = runs.flatMap(({ curve }) => {
    const steps = curve.at(-1)?.step ?? 0;
    const [from, to] =
      part === "last fifth"
        ? [Math.max(Math.floor(0.8 * steps), stepsToFill), steps]
        : [stepsToFill, stepsToFill + 0.2 * steps];
    // A point is the mean over the steps since the point before: one that began before `from` is left out.
    const points = curve.filter(({ step }, index) => (curve[index - 1]?.step ?? 0) >= from && step <= to);
    return points.length === 0 ? [] : [meanOf(points.map(({ loss }) => loss))];
  });
  return losses.length === 0 ? undefined : meanOf(losses);
}

function metricsOf(evaluations: readonly Evaluation[]): Partial<Record<MetricName, Interval>> {
  return Object.fromEntries(
    metricNames.flatMap((metric) => {
      const scores = scoresOf(evaluations, metric);
      return scores ? [[metric, intervalOf(scores)]] : [];
    }),
  );
}

/** Over seeds where there are enough of them, else over groups of test images. */
export function intervalOf({ correct, groups }: SeededScores): Interval {
  const overSeeds = correct.length >= verdictSeeds ? seedInterval(correct.map((one) => meanOf(one))) : undefined;
  return overSeeds ?? groupBootstrap(meanBySeed(correct), groups, { seed: 0 });
}

function scoresOf(evaluations: readonly Evaluation[], metric: MetricName): SeededScores | undefined {
  const scores = evaluations.flatMap((evaluation) => evaluation[metric] ?? []);
  const [first] = scores;
  return first && { correct: scores.map(({ correct }) => correct), groups: first.groups };
}

function evaluationsOf(runs: readonly RunRecord[]): Evaluation[] {
  return runs.flatMap(({ evaluation }) => evaluation ?? []);
}
