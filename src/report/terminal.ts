import { textTable } from "../display/table";
import { detectorRunName, runName } from "../runs/run-name";
import type { AblationResult } from "../experiments/ablation/ablation-result";
import type { TransferResult } from "../experiments/transfer/transfer-result";
import type { EngineComparison } from "../experiments/pytorch-parity/two-engines";
import { accuracyRows, agreementRows, footnotes, queueRows } from "../experiments/ablation/ablation-rows";
import { categoryRows, differenceRows, transferNotes, transferRows } from "../experiments/transfer/transfer-rows";
import { engineNotes, engineRows } from "../experiments/pytorch-parity/two-engines-rows";

/** An ablation as text for the terminal: accuracies, agreement with the paper, what the queue holds. */
export function resultTable(result: AblationResult): string {
  const { title, paper } = result.ablation;
  return [
    `${title} (${paper})`,
    textTable(accuracyRows(result)),
    textTable(agreementRows(result)),
    textTable(queueRows(result)),
    ...footnotes(result),
    ...runLines(
      result.rows.flatMap(({ runs }) =>
        runs.map(({ manifest }) => runName(manifest.recipe, manifest.data.checksum, manifest.seed)),
      ),
    ),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

/** Names of the runs behind a table; those that differ in their seed alone in one line, with the seeds in braces, as shells write them. */
function runLines(names: readonly string[]): readonly string[] {
  const seedsOf = new Map<string, string[]>();
  for (const name of names) {
    const [, start, seed] = /^(.*-seed)(\d+)$/.exec(name)!;
    seedsOf.set(start!, [...(seedsOf.get(start!) ?? []), seed!]);
  }
  if (seedsOf.size === 0) return [];
  const lines = [...seedsOf].map(
    ([start, seeds]) => `  ${start}${seeds.length === 1 ? seeds[0] : `{${seeds.join(",")}}`}`,
  );
  return ["Runs, by their names in runs or results:", ...lines];
}

/** The comparison of two engines as text for the terminal. */
export function engineTable(comparison: EngineComparison): string {
  return ["Two engines, one recipe", textTable(engineRows(comparison)), ...engineNotes(comparison)].join("\n");
}

/** A transfer to detection as text for the terminal. */
export function transferTable(result: TransferResult): string {
  const { title } = result.transfer;
  const tables = [transferRows(result), differenceRows(result), categoryRows(result)].map(textTable);
  const runs = result.rows.flatMap((row) =>
    row.runs.map(({ manifest: { recipe, initialization, data, seed } }) =>
      detectorRunName(recipe, { encoder: initialization.checksum, data: data.train.checksum }, seed),
    ),
  );
  return [title, ...tables, ...transferNotes(result), ...runLines(runs)].filter((part) => part !== "").join("\n");
}
