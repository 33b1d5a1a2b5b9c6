import type { PublishedTable } from "../tables/published-table";
import type { TextRow } from "./rows";

/** A table of the paper on transfer as printed, with what the kit runs of it. */
export function publishedRows({ columnTitle, measures, rows }: PublishedTable): TextRow[] {
  return rows.map(({ pretraining, column, figures, reason }) => ({
    "pre-training": pretraining,
    [columnTitle]: column,
    ...Object.fromEntries(measures.map((measure, index) => [measure, figures[index]?.toFixed(1) ?? "–"])),
    here: reason === undefined ? "run, at the scale above" : `as published: ${reason}`,
  }));
}
