import { signedInterval } from "../display/signed";
import type { TextRow } from "../display/table";
import type { Ablation } from "../experiments/ablation/ablation";
import type { AblationResult, MetricName, ResultRow } from "../experiments/ablation/ablation-result";
import { metricNames } from "../experiments/ablation/ablation-result";
import { metricTitles } from "../experiments/ablation/ablation-rows";
import { storedAblation } from "../experiments/ablation/stored-ablation";
import { readRateTrials } from "../experiments/mechanisms/rate-trials";
import { InputError } from "../errors";
import type { Preset } from "../recipes/presets";
import { runsInFolder } from "../runs/run-store";
import { holm } from "../statistics/holm";
import { meanOf } from "../statistics/mean";
import { pairedTTest } from "../statistics/paired-t";
import { welchTTest } from "../statistics/welch-t";
import { ablationNames, ablations } from "./ablations";

/** A set of results: a folder as `results/quick` is, and the preset that its runs are of. */
export interface ResultSet {
  readonly folder: string;
  readonly preset: Preset;
}

/** Two result sets in one row and measure. Values in points (percent). */
export interface SetDifference {
  readonly table: Ablation["id"];
  readonly row: string;
  readonly metric: MetricName;
  readonly means: readonly [number, number];
  readonly seeds: readonly [number, number];
  /** How the difference is tested; undefined with fewer than two seeds on a side. */
  readonly test:
    | {
        /** Paired: the same recipes, data and seeds, as from another machine or commit. */
        readonly kind: "paired" | "Welch";
        readonly difference: number;
        readonly low: number;
        readonly high: number;
        /** Adjusted by Holm's method over all that are compared. */
        readonly p: number;
      }
    | undefined;
}

/**
 * Compares two result sets row by row: those of one label in the same table.
 *
 * @throws InputError if they have no row in common
 */
export function compareSets(a: ResultSet, b: ResultSet): readonly SetDifference[] {
  const found = ablationNames.flatMap((table) => {
    const [first, second] = [resultOf(a, table), resultOf(b, table)];
    if (first === undefined || second === undefined) return [];
    return first.rows.flatMap((row) => {
      const other = second.rows.find(({ label }) => label === row.label);
      return other === undefined ? [] : metricNames.flatMap((metric) => differenceOf(table, row, other, metric) ?? []);
    });
  });
  if (found.length === 0) {
    throw new InputError(
      `Cannot compare ${a.folder} and ${b.folder}: there is no row of which both have runs. ` +
        "Give folders as results/quick is, and their presets by --preset-a and --preset-b",
    );
  }
  const adjusted = holm(found.flatMap(({ test }) => (test === undefined ? [] : [test.p])));
  return found.map((one) => (one.test === undefined ? one : { ...one, test: { ...one.test, p: adjusted.shift()! } }));
}

/** The comparison as a table. */
export function setRows(differences: readonly SetDifference[]): TextRow[] {
  return differences.map(({ table, row, metric, means, seeds, test }) => ({
    table,
    row,
    measure: metricTitles[metric],
    A: `${means[0].toFixed(1)} (${seeds[0]})`,
    B: `${means[1].toFixed(1)} (${seeds[1]})`,
    "A − B": test === undefined ? "–" : signedInterval(test.difference, test),
    p: test === undefined ? "–" : test.p.toFixed(3),
    test: test?.kind ?? "none: one seed",
  }));
}

function resultOf({ folder, preset }: ResultSet, id: Ablation["id"]): AblationResult | undefined {
  const store = runsInFolder(folder);
  const ablation = ablations[id](preset, readRateTrials(store.rateTrials(preset)) ?? []);
  return ablation && storedAblation(ablation, preset, store);
}

function differenceOf(
  table: Ablation["id"],
  a: ResultRow,
  b: ResultRow,
  metric: MetricName,
): SetDifference | undefined {
  const [first, second] = [valuesOf(a, metric), valuesOf(b, metric)];
  if (first.size === 0 || second.size === 0) return undefined;
  const common = [...first.keys()].filter((key) => second.has(key));
  const enough = Math.min(first.size, second.size) >= 2;
  const paired = common.length === first.size && common.length === second.size;
  const test = !enough
    ? undefined
    : paired
      ? { kind: "paired" as const, ...pairedTTest(pick(first, common), pick(second, common)) }
      : { kind: "Welch" as const, ...welchTTest([...first.values()], [...second.values()]) };
  return {
    table,
    row: a.label,
    metric,
    means: [meanOf([...first.values()]), meanOf([...second.values()])],
    seeds: [first.size, second.size],
    test: test && { kind: test.kind, difference: test.difference, low: test.low, high: test.high, p: test.p },
  };
}

/** Accuracies in points by what makes two runs a pair: recipe, data and seed. */
function valuesOf({ runs }: ResultRow, metric: MetricName): ReadonlyMap<string, number> {
  return new Map(
    runs.flatMap(({ manifest: { recipeHash, data, seed }, evaluation }) => {
      const score = evaluation?.[metric];
      return score === undefined ? [] : [[`${recipeHash} ${data.checksum} ${seed}`, 100 * score.accuracy] as const];
    }),
  );
}

function pick(values: ReadonlyMap<string, number>, keys: readonly string[]): readonly number[] {
  return keys.map((key) => values.get(key)!);
}
