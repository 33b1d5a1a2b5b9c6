import { tableBundle } from "../notebook/table";
import type { AblationResult } from "../tables/result";
import { accuracyRows, agreementRows, footnotes, queueRows, type TextRow } from "./rows";

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

function textTable(rows: readonly TextRow[]): string {
  return rows.length === 0 ? "" : tableBundle(rows)["text/plain"];
}
