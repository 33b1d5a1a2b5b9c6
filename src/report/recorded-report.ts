import type { Ablation } from "../experiments/ablation/ablation";
import type { AblationResult } from "../experiments/ablation/ablation-result";
import { storedAblation } from "../experiments/ablation/stored-ablation";
import { readTwoEngines } from "../experiments/pytorch-parity/read-two-engines";
import { compareEngines, type EngineComparison } from "../experiments/pytorch-parity/two-engines";
import { recordedTestSet, recordedTransferRuns, storedTransfer } from "../experiments/transfer/stored-transfer";
import { transferNamed, transferNames, type TransferName } from "../experiments/transfer/transfer";
import type { TransferResult } from "../experiments/transfer/transfer-result";
import { InputError } from "../errors";
import type { Preset } from "../recipes/presets";
import { namesIn, resultsFolder } from "../runs/run-name";
import { ablationNames } from "./ablations";
import { recordedJudgements, recordedStores, type RecordedJudgement } from "./recorded-judgements";
import type { ReportTable } from "./report-table";
import { claimsTable } from "./verdict-section";
import { ablationTables, engineTables, presetTables, transferTables } from "./result-tables";

/** A table of encoders by its recorded runs; undefined where there are none. */
export function recordedAblation(id: Ablation["id"], preset: Preset, root = resultsFolder): AblationResult | undefined {
  const { ablation: of, runs } = recordedStores(preset, root);
  const ablation = of(id);
  return ablation && storedAblation(ablation, preset, runs);
}

/** The tables of encoders of which there are recorded runs. */
function recordedAblations(preset: Preset, root = resultsFolder): readonly AblationResult[] {
  return ablationNames.flatMap((id) => recordedAblation(id, preset, root) ?? []);
}

/** The transfers whose encoders are of a preset and that have recorded runs. */
function recordedTransferNames(preset: Preset, root = resultsFolder): readonly TransferName[] {
  return transferNames.filter(
    (name) =>
      transferNamed(name).preset.name === preset.name &&
      namesIn(`${root}/${name}`, ".json").some((file) => file.startsWith("detect-")),
  );
}

/** A recorded transfer; takes seconds to minutes, since AP is computed anew on a thousand draws of the test images. */
async function recordedTransfer(name: TransferName, root = resultsFolder): Promise<TransferResult> {
  const transfer = transferNamed(name);
  return storedTransfer(transfer, await recordedTestSet(transfer, root), recordedTransferRuns(transfer, root));
}

/** Computes a recorded transfer. */
export type TransferOf = (name: TransferName) => Promise<TransferResult>;

/** The recorded transfers of a folder of results, each computed once: what is computed is for whoever asks again. */
export function transfersIn(root = resultsFolder): TransferOf {
  const computed = new Map<TransferName, Promise<TransferResult>>();
  return (name) => {
    const found = computed.get(name) ?? recordedTransfer(name, root);
    computed.set(name, found);
    return found;
  };
}

/** Both engines, as recorded. */
export function recordedEngines(root = resultsFolder): EngineComparison {
  return compareEngines(readTwoEngines(`${root}/cifar10-demo`));
}

/** What is recorded of a preset. */
export interface PresetReport {
  readonly preset: Preset;
  readonly ablations: readonly AblationResult[];
  readonly transfers: readonly TransferResult[];
}

/** What is recorded of some presets, and what belongs to none. */
export interface RecordedReport {
  readonly claims: readonly RecordedJudgement[];
  readonly presets: readonly PresetReport[];
  readonly engines: EngineComparison;
}

/**
 * Reads and computes all that is recorded of presets.
 *
 * @param options.quick - leaves out the transfers, which take a minute
 * @param options.transferOf - computes a transfer, where the caller shares what it computed
 */
export async function recordedReport(
  presets: readonly Preset[],
  root = resultsFolder,
  {
    quick = false,
    transferOf = transfersIn(root),
  }: { readonly quick?: boolean; readonly transferOf?: TransferOf } = {},
): Promise<RecordedReport> {
  const reports: PresetReport[] = [];
  for (const preset of presets) {
    const transfers: TransferResult[] = [];
    for (const name of quick ? [] : recordedTransferNames(preset, root)) transfers.push(await transferOf(name));
    reports.push({ preset, ablations: recordedAblations(preset, root), transfers });
  }
  return { claims: recordedJudgements(presets, root), presets: reports, engines: recordedEngines(root) };
}

/** Names of the tables that can be cited by themselves. */
const tableNames: readonly string[] = [
  "claims",
  ...ablationNames,
  ...transferNames.map((name) => `transfer-${name}`),
  "two-engines",
];

/**
 * A table by its name, from the recorded runs.
 *
 * @throws InputError if there is no table of that name, or nothing of it is recorded
 */
export async function recordedTable(name: string, preset: Preset, root = resultsFolder): Promise<ReportTable> {
  const table = (await tablesNamed(name, preset, root))[0];
  if (table !== undefined) return table;
  const known = tableNames.includes(name)
    ? `nothing of it is recorded with preset ${preset.name}`
    : `there are the tables ${tableNames.join(", ")}`;
  throw new InputError(`Cannot find the table ${name}: ${known}`);
}

async function tablesNamed(name: string, preset: Preset, root: string): Promise<readonly ReportTable[]> {
  if (name === "claims") return [claimsTable(recordedJudgements([preset], root))];
  if (name === "two-engines") return engineTables(recordedEngines(root));
  const transfer = recordedTransferNames(preset, root).find((one) => `transfer-${one}` === name);
  if (transfer !== undefined) return transferTables(await recordedTransfer(transfer, root));
  const id = ablationNames.find((one) => one === name);
  const result = id && recordedAblation(id, preset, root);
  return result === undefined ? [] : ablationTables(result, preset.name);
}

/** The tables of a report, in its order. */
export function tablesOf({ claims, presets, engines }: RecordedReport): readonly ReportTable[] {
  return [
    claimsTable(claims),
    ...presets.flatMap(({ preset, ablations: results, transfers }) => presetTables(preset, results, transfers)),
    ...engineTables(engines),
  ];
}
