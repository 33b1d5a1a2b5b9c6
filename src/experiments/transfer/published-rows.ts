import type { TextRow } from "../../display/table";
import { publishedPretrainings, type PublishedRow, type PublishedTable } from "../../paper/published-table";
import type { TransferResult } from "./transfer-result";
import { mocoLabel } from "./transfer";

const { random, supervised, imageNet } = publishedPretrainings;

/** The transfer's row of a published one that is called otherwise. */
const labels: Readonly<Record<string, string>> = {
  [random]: "random",
  [supervised]: "supervised",
  [imageNet]: mocoLabel,
};

/**
 * A table of the paper on transfer as printed, with what was run of it.
 *
 * @param result - of the transfer that asks what the table asks
 */
export function publishedRows({ columnTitle, measures, rows }: PublishedTable, result: TransferResult): TextRow[] {
  return rows.map((row) => ({
    "pre-training": row.pretraining,
    [columnTitle]: row.column,
    ...Object.fromEntries(measures.map((measure, index) => [measure, row.values[index]?.toFixed(1) ?? "–"])),
    here: whatWasRun(row, result),
  }));
}

function whatWasRun({ pretraining, reason }: PublishedRow, { rows }: TransferResult): string {
  if (reason !== undefined) return `as published: ${reason}`;
  const label = labels[pretraining] ?? pretraining;
  const found = rows.find((row) => row.label === label);
  return found !== undefined && found.runs.length > 0 ? "run, at the kit's scale" : "not run";
}
