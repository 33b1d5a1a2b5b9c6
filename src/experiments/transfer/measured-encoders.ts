import { byMeasure, measuresOf, type ByMeasure, type DetectionMeasure } from "../../detection/metric/detection-metrics";
import { readDetectorRun, type DetectorRun } from "../../runs/run-detector";
import type { Transfer, TransferRow } from "./transfer";
import { randomNetworkNames, readBaseline } from "../../runs/baselines";
import { readRunRecord } from "../../runs/run-record";
import type { RunStore } from "../../runs/run-store";
import type { TransferStore } from "./stored-transfer";

/** One encoder by its linear probe and by the detector that was trained from it, both on test and 0 to 1. */
export interface MeasuredEncoder {
  /** The row of the transfer. */
  readonly label: string;
  readonly seed: number;
  /** Accuracy of the linear probe. */
  readonly linear: number;
  readonly metrics: ByMeasure<number>;
}

/**
 * The encoders of a transfer of which both are there, seed by seed; trains and evaluates nothing. A control is left out: its
 * data are other ones.
 *
 * The random networks of the tables are other draws of the same distribution than those that detectors begin with; they are
 * paired by their number.
 */
export function measuredEncoders(transfer: Transfer, detectors: TransferStore, encoders: RunStore): MeasuredEncoder[] {
  const checksum = transfer.rows
    .flatMap(({ pretraining }) => (pretraining && readRunRecord(encoders.run(pretraining, 1))) ?? [])
    .at(0)?.manifest.data.checksum;
  return transfer.rows
    .filter(({ purpose }) => purpose !== "control")
    .flatMap((row) => {
      const found: MeasuredEncoder[] = [];
      for (let seed = 1; ; seed++) {
        const run = readDetectorRun(detectors.run(row, seed));
        if (run === undefined) return found;
        const linear = linearAccuracy(row, seed, transfer, encoders, checksum);
        if (linear !== undefined) found.push({ label: row.label, seed, linear, metrics: metricsOf(run) });
      }
    });
}

/** @param checksum - of the images of pre-training, which the names of random networks hold */
function linearAccuracy(
  { pretraining, detection }: TransferRow,
  seed: number,
  { preset }: Transfer,
  encoders: RunStore,
  checksum: string | undefined,
): number | undefined {
  if (pretraining !== undefined) return readRunRecord(encoders.run(pretraining, seed))?.evaluation?.linear.accuracy;
  // The tables have random networks of the preset's own stem alone.
  if (checksum === undefined || detection.detector.backbone.stem !== preset.base.encoder.stem) return undefined;
  const name = randomNetworkNames(checksum, preset)[seed - 1];
  return name && readBaseline(encoders.baseline(name))?.evaluation.linear.accuracy;
}

/** The metrics of a detector by measure, 0 to 1; NaN where nothing is to be found. */
export function metricsOf({ manifest: { recipe }, metrics }: DetectorRun): ByMeasure<number> {
  const { ap, ap50, ap75, classAgnostic, masks } = metrics;
  const of: Readonly<Record<DetectionMeasure, number | null | undefined>> = {
    ...{ ap, ap50, ap75, objectAp: classAgnostic.ap, objectAp50: classAgnostic.ap50 },
    ...{ maskAp: masks?.ap, maskAp50: masks?.ap50, maskAp75: masks?.ap75 },
  };
  return byMeasure(measuresOf(recipe), (measure) => of[measure] ?? NaN);
}
