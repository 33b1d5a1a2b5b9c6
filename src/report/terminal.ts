import Table from "cli-table3";
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
  const [first] = rows;
  if (first === undefined) return "";
  const columns = Object.keys(first);
  const table = new Table({ head: columns, style: { head: [], border: [], compact: true } });
  table.push(...rows.map((row) => columns.map((column) => row[column] ?? "")));
  return table.toString();
}
