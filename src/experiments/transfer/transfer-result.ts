import {
  byMeasure,
  isOfMasks,
  measuresOf,
  type ByMeasure,
  type DetectionMeasure,
  type ResampledMetrics,
} from "../../detection/metric/detection-metrics";
import type { DetectorRun } from "../../runs/run-detector";
import {
  pairedTwoLevelBootstrap,
  twoLevelBootstrap,
  type TwoLevelInterval,
} from "../../statistics/two-level-bootstrap";
import { verdictOf } from "../../statistics/agreement";
import type { Transfer, TransferComparison, TransferRow } from "./transfer";

/** A finished run of one row and seed, with its metrics on draws of the test images. */
export interface TransferRun {
  readonly run: DetectorRun;
  readonly metrics: ResampledMetrics;
}

/** A row with what came of it. */
export interface TransferResultRow extends Omit<TransferRow, "detection"> {
  /** Over seeds and test images; undefined where nothing was run. */
  readonly metrics: ByMeasure<TwoLevelInterval> | undefined;
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

/** The paper's difference that a measure is held against: only its sign counts. */
export function publishedSign(
  { published, publishedOfMasks }: TransferComparison,
  measure: DetectionMeasure,
): number | undefined {
  return isOfMasks(measure) ? publishedOfMasks : published;
}

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
      return {
        ...interval,
        verdict: verdictOf({ difference: mean, low, high }, publishedSign(comparison, measure), seeds),
      };
    };
    return [{ ...comparison, measures: byMeasure(measures, difference) }];
  });
  return { transfer, measures, rows, differences };
}
