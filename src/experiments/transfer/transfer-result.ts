import {
  byMeasure,
  measuresOf,
  type ByMeasure,
  type DetectionMeasure,
  type ResampledMetrics,
} from "../../detection/metric/detection-metrics";
import type { DetectorRun } from "../../runs/run-detector";
import {
  pairedTwoLevelBootstrap,
  twoLevelBootstrap,
  type ResampledMetric,
  type TwoLevelInterval,
} from "../../statistics/two-level-bootstrap";
import { verdictOf } from "../../statistics/agreement";
import type { Transfer, TransferComparison, TransferRow } from "./transfer";

/** A finished run of one row and seed, with its metrics on draws of the test images. */
export interface TransferRun {
  readonly run: DetectorRun;
  readonly metrics: ResampledMetrics;
}

/** AP of a category. */
export interface CategoryAp {
  readonly name: string;
  /** Of boxes; undefined where the test set has none of the category. */
  readonly ap: TwoLevelInterval | undefined;
  /** Of masks; undefined also where they are not predicted. */
  readonly maskAp: TwoLevelInterval | undefined;
}

/** A row with its results. */
export interface TransferResultRow extends Omit<TransferRow, "detection"> {
  /** Over seeds and test images; undefined where nothing was run. */
  readonly metrics: ByMeasure<TwoLevelInterval> | undefined;
  /** Over seeds and test images; empty where nothing was run. */
  readonly categories: readonly CategoryAp[];
  readonly runs: readonly DetectorRun[];
}

/** How two rows differ, paired by seed and image. */
export interface TransferDifference extends TransferComparison {
  readonly measures: ByMeasure<TwoLevelInterval & { readonly verdict: string }>;
}

export interface TransferResult {
  readonly transfer: Transfer;
  /** In the order of tables; the same in all rows. */
  readonly measures: readonly DetectionMeasure[];
  readonly rows: readonly TransferResultRow[];
  /** Of those comparisons both of whose rows have runs. */
  readonly differences: readonly TransferDifference[];
}

/** What the paper's difference by a measure says; `notPublished` where it has none. */
export function publishedDirection({ published }: TransferComparison, measure: DetectionMeasure): string {
  const difference = published[measure];
  if (difference === undefined) return notPublished;
  return difference === 0 ? "the same" : difference > 0 ? "higher" : "lower";
}

/** In place of a direction, or of what an interval says of it. */
export const notPublished = "not in the paper";

/** Seed of the draws of seeds, the same in all intervals: rows are compared on the same draws. */
const bootstrapSeed = 0;

/**
 * Puts runs together.
 *
 * @param runs - of each row of the transfer, by seed from 1; all read on the same draws of images
 */
export function transferResult(transfer: Transfer, runs: readonly (readonly TransferRun[])[]): TransferResult {
  const measures = measuresOf(transfer.rows[0]!.detection);
  const byLabel = new Map(transfer.rows.map(({ label }, index) => [label, runs[index]!]));
  const rows = transfer.rows.map(({ label, purpose, pretraining }, index): TransferResultRow => {
    const ofRow = runs[index]!;
    const figure = (measure: DetectionMeasure) =>
      twoLevelBootstrap(
        ofRow.map(({ metrics }) => metrics[measure]!),
        bootstrapSeed,
      );
    return {
      label,
      purpose,
      pretraining,
      metrics: ofRow.length === 0 ? undefined : byMeasure(measures, figure),
      categories: categoriesOf(ofRow),
      runs: ofRow.map(({ run }) => run),
    };
  });
  const differences = transfer.comparisons.flatMap((comparison): TransferDifference[] => {
    const [of, reference] = [byLabel.get(comparison.row)!, byLabel.get(comparison.reference)!];
    const seeds = Math.min(of.length, reference.length);
    if (seeds === 0) return [];
    const difference = (measure: DetectionMeasure) => {
      const metrics = (list: readonly TransferRun[]) => list.slice(0, seeds).map((one) => one.metrics[measure]!);
      const interval = pairedTwoLevelBootstrap(metrics(of), metrics(reference), bootstrapSeed);
      const { mean, low, high } = interval;
      const published = comparison.published[measure];
      const verdict =
        published === undefined ? notPublished : verdictOf({ difference: mean, low, high }, published, seeds);
      return { ...interval, verdict };
    };
    return [{ ...comparison, measures: byMeasure(measures, difference) }];
  });
  return { transfer, measures, rows, differences };
}

function categoriesOf(runs: readonly TransferRun[]): CategoryAp[] {
  const names = runs[0]?.run.metrics.categories ?? [];
  return names.map(({ name }, category) => ({
    name,
    ap: intervalOf(runs.map(({ metrics }) => metrics.categoryAp[category])),
    maskAp: intervalOf(runs.map(({ metrics }) => metrics.maskCategoryAp?.[category])),
  }));
}

/** The interval over those draws that hold an object of the category: the same draws in all runs, which share the images. */
function intervalOf(runs: readonly (ResampledMetric | undefined)[]): TwoLevelInterval | undefined {
  const known = runs.flatMap((one) =>
    one === undefined || Number.isNaN(one.value)
      ? []
      : [{ value: one.value, drawn: one.drawn.filter((value) => !Number.isNaN(value)) }],
  );
  return known.length === 0 ? undefined : twoLevelBootstrap(known, bootstrapSeed);
}
