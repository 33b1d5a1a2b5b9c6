import { claimsOf } from "../claims/claims";
import { judge, type Judgement } from "../claims/judge";
import { storedValues, type ClaimStores } from "../claims/stored-values";
import type { Ablation } from "../experiments/ablation/ablation";
import type { AblationResult } from "../experiments/ablation/ablation-result";
import { storedAblation } from "../experiments/ablation/stored-ablation";
import { readRateTrials } from "../experiments/mechanisms/rate-trials";
import { readTwoEngines } from "../experiments/pytorch-parity/read-two-engines";
import { compareEngines, type EngineComparison } from "../experiments/pytorch-parity/two-engines";
import { recordedTestSet, recordedTransferRuns, storedTransfer } from "../experiments/transfer/stored-transfer";
import { transferNamed, transferNames, type TransferName } from "../experiments/transfer/transfer";
import type { TransferResult } from "../experiments/transfer/transfer-result";
import type { Preset } from "../recipes/presets";
import { namesIn, resultsFolder } from "../runs/run-name";
import { recordedRuns } from "../runs/run-store";
import { ablationNames, ablations } from "./ablations";
import type { ReportTable } from "./report-table";
import { ablationTables, engineTables, transferTables } from "./result-tables";

/** Where the recorded runs of a preset lie, and the tables that ask for them. */
export function recordedStores(preset: Preset, root = resultsFolder): ClaimStores {
  const runs = recordedRuns(preset, root);
  const trials = readRateTrials(runs.rateTrials(preset)) ?? [];
  return {
    ablation: (id) => ablations[id](preset, trials),
    runs,
    detectors: (transfer) => recordedTransferRuns(transfer, root),
  };
}

/** The verdicts of all claims at a preset, by its recorded runs. */
export function recordedJudgements(preset: Preset, root = resultsFolder): readonly Judgement[] {
  return judge(claimsOf(preset), storedValues(recordedStores(preset, root)));
}

/** A table of encoders by its recorded runs; undefined where there are none. */
export function recordedAblation(id: Ablation["id"], preset: Preset, root = resultsFolder): AblationResult | undefined {
  const { ablation: of, runs } = recordedStores(preset, root);
  const ablation = of(id);
  return ablation && storedAblation(ablation, preset, runs);
}

/** The tables of encoders of which there are recorded runs. */
export function recordedAblations(preset: Preset, root = resultsFolder): readonly AblationResult[] {
  return ablationNames.flatMap((id) => recordedAblation(id, preset, root) ?? []);
}

/** The transfers whose encoders are of a preset and that have recorded runs. */
export function recordedTransferNames(preset: Preset, root = resultsFolder): readonly TransferName[] {
  return transferNames.filter(
    (name) =>
      transferNamed(name).preset.name === preset.name &&
      namesIn(`${root}/${name}`, ".json").some((file) => file.startsWith("detect-")),
  );
}

/** A recorded transfer; takes seconds to minutes, since AP is computed anew on a thousand draws of the test images. */
export async function recordedTransfer(name: TransferName, root = resultsFolder): Promise<TransferResult> {
  const transfer = transferNamed(name);
  return storedTransfer(transfer, await recordedTestSet(transfer, root), recordedTransferRuns(transfer, root));
}

/** Both engines, as recorded. */
export function recordedEngines(root = resultsFolder): EngineComparison {
  return compareEngines(readTwoEngines(`${root}/cifar10-demo`));
}

/** All that is recorded of a preset. */
export interface RecordedReport {
  readonly preset: Preset;
  readonly judgements: readonly Judgement[];
  readonly ablations: readonly AblationResult[];
  readonly transfers: readonly TransferResult[];
  readonly engines: EngineComparison;
}

/** Reads and computes all that is recorded of a preset. */
export async function recordedReport(preset: Preset, root = resultsFolder): Promise<RecordedReport> {
  const transfers: TransferResult[] = [];
  for (const name of recordedTransferNames(preset, root)) transfers.push(await recordedTransfer(name, root));
  return {
    preset,
    judgements: recordedJudgements(preset, root),
    ablations: recordedAblations(preset, root),
    transfers,
    engines: recordedEngines(root),
  };
}

/** The tables of a report, in its order. */
export function tablesOf({
  preset,
  ablations,
  transfers,
  engines,
}: Omit<RecordedReport, "judgements">): readonly ReportTable[] {
  return [
    ...ablations.flatMap((result) => ablationTables(result, preset.name)),
    ...transfers.flatMap(transferTables),
    ...engineTables(engines),
  ];
}
