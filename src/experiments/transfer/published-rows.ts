import type { PublishedTable } from "../../paper/published-table";
import type { TextRow } from "../../display/table";

/** A table of the paper on transfer as printed, with what the kit runs of it. */
export function publishedRows({ columnTitle, measures, rows }: PublishedTable): TextRow[] {
  return rows.map(({ pretraining, column, values, reason }) => ({
    "pre-training": pretraining,
    [columnTitle]: column,
    ...Object.fromEntries(measures.map((measure, index) => [measure, values[index]?.toFixed(1) ?? "–"])),
    here: reason === undefined ? "run, at the scale above" : `as published: ${reason}`,
  }));
}
