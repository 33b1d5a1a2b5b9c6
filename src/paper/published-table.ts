/** A row of a table of the paper on transfer, as printed, in percent. */
export interface PublishedRow {
  readonly pretraining: string;
  /** What the table's columns or blocks tell apart: detector, task, or whose method it is. */
  readonly column: string;
  /** In the order of {@link PublishedTable.measures}; undefined where the paper prints none. */
  readonly values: readonly (number | undefined)[];
  /** Why the kit does not run it; undefined where it has a row for it, at its own scale. */
  readonly reason: string | undefined;
}

/** One table of the paper, all of its numbers. */
export interface PublishedTable {
  readonly title: string;
  /** What {@link PublishedRow.column} is. */
  readonly columnTitle: string;
  readonly measures: readonly string[];
  readonly rows: readonly PublishedRow[];
  /** What a reader might take for a slip of ours. */
  readonly note?: string;
}

/** How the paper names the initializations that Tables 2, 5, 6 and A.1 compare, in their order. */
export const publishedPretrainings = {
  random: "random",
  supervised: "supervised, IN-1M",
  imageNet: "MoCo, IN-1M",
  instagram: "MoCo, IG-1B",
} as const;

/** Why no row of Instagram-1B is run. */
export const instagramReason = "Instagram-1B is not public";

/** Two rows of one column, by one measure. */
export type PublishedPair = Readonly<Record<"column" | "measure" | "of" | "to", string>>;

/** The figure of a row, as printed; undefined where the table has none. */
export function publishedFigure(
  { measures, rows }: PublishedTable,
  { column, measure, row }: Readonly<Record<"column" | "measure" | "row", string>>,
): number | undefined {
  return rows.find((one) => one.column === column && one.pretraining === row)?.values[measures.indexOf(measure)];
}

/**
 * How much one row of a table is above another, in points: to a tenth, as printed.
 *
 * @returns undefined where the table has no such values
 */
export function publishedDifference(
  table: PublishedTable,
  { column, measure, of, to }: PublishedPair,
): number | undefined {
  const [first, second] = [of, to].map((row) => publishedFigure(table, { column, measure, row }));
  // Printed values have one decimal, their difference in binary has more. Plus 0: never -0.
  return first === undefined || second === undefined ? undefined : Math.round(10 * (first - second)) / 10 + 0;
}
