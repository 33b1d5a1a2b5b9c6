import { tableBundle } from "../notebook/table";
import type { AblationResult } from "../tables/result";
import type { TransferResult } from "../tables/transfer-result";
import type { EngineComparison } from "../tables/two-engines";
import { accuracyRows, agreementRows, footnotes, queueRows, type TextRow } from "./rows";
import { categoryRows, differenceRows, transferNotes, transferRows } from "./transfer";
import { engineNotes, engineRows } from "./two-engines";

/** An ablation as text for the terminal: accuracies, agreement with the paper, what the queue holds. */
export function resultTable(result: AblationResult): string {
  const { title, paper } = result.ablation;
  return [
    `${title} (${paper})`,
    textTable(accuracyRows(result)),
    textTable(agreementRows(result)),
    textTable(queueRows(result)),
    ...footnotes(result),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

/** The comparison of two engines as text for the terminal. */
export function engineTable(comparison: EngineComparison): string {
  return ["Two engines, one recipe", textTable(engineRows(comparison)), ...engineNotes(comparison)].join("\n");
}

/** A transfer to detection as text for the terminal. */
export function transferTable(result: TransferResult): string {
  const { title } = result.transfer;
  const tables = [transferRows(result), differenceRows(result), categoryRows(result)].map(textTable);
  return [title, ...tables, ...transferNotes(result)].filter((part) => part !== "").join("\n");
}

/** Rows as text for the terminal; nothing for none. */
export function textTable(rows: readonly TextRow[]): string {
  return rows.length === 0 ? "" : tableBundle(rows)["text/plain"];
}
