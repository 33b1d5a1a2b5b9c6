import type { PublishedDetectionTable } from "../tables/published-detection";
import type { TextRow } from "./rows";

/** A detection table of the paper as printed, with what the kit runs of it. */
export function publishedRows({ rows }: PublishedDetectionTable): TextRow[] {
  return rows.map(({ pretraining, column, ap50, ap, ap75, reason }) => ({
    "pre-training": pretraining,
    detector: column,
    AP50: ap50.toFixed(1),
    AP: ap?.toFixed(1) ?? "–",
    AP75: ap75?.toFixed(1) ?? "–",
    here: reason === undefined ? "run, at the scale above" : `as published: ${reason}`,
  }));
}
