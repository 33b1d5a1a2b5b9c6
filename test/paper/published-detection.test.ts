import { describe, expect, it } from "vitest";
import { publishedDetectionTables } from "../../src/paper/published-detection";

const [table2, table3, table4] = publishedDetectionTables;
const printed = (table: typeof table2, column: string) =>
  table!.rows.filter((row) => row.column === column).map(({ values }) => values);

// Written out again from MoCo, arXiv 1911.05722v3, by columns of the paper, so that a slip in the source does not pass.
describe("published detection tables", () => {
  it("have Table 2 whole: random, supervised, MoCo on IN-1M and on IG-1B", () => {
    expect(printed(table2, "R50-dilated-C5")).toEqual([
      [64.4, 37.9, 38.6],
      [81.4, 54.0, 59.1],
      [81.1, 54.6, 59.9],
      [81.6, 55.5, 61.2],
    ]);
    expect(printed(table2, "R50-C4")).toEqual([
      [60.2, 33.8, 33.1],
      [81.3, 53.5, 58.8],
      [81.5, 55.9, 62.6],
      [82.2, 57.2, 63.7],
    ]);
  });

  it("have Table 3 whole: end-to-end, memory bank, MoCo", () => {
    expect(printed(table3, "R50-dilated-C5")).toEqual([
      [79.2, 52.0, 56.6],
      [79.8, 52.9, 57.9],
      [81.1, 54.6, 59.9],
    ]);
    expect(printed(table3, "R50-C4")).toEqual([
      [80.4, 54.6, 60.3],
      [80.6, 54.9, 60.6],
      [81.5, 55.9, 62.6],
    ]);
  });

  it("have Table 4 whole, AP and AP75 where the paper has them", () => {
    const ap50 = Object.fromEntries(
      ["RelPos", "Multi-task", "Jigsaw", "LocalAgg"].map((name) => [
        name,
        printed(table4, name).map(([first]) => first),
      ]),
    );
    expect(ap50).toEqual({
      RelPos: [74.2, 66.8],
      "Multi-task": [74.2, 70.5],
      Jigsaw: [70.5, 61.4, 69.2, 66.6],
      LocalAgg: [74.6, 69.1],
    });
    expect(printed(table4, "Multi-task").map(([, , ap75]) => ap75)).toEqual([44.3, 43.9]);
    expect(printed(table4, "MoCo")).toEqual([
      [74.4, 42.4, 42.7],
      [74.9, 46.6, 50.1],
      [75.2, 46.9, 50.2],
      [74.7, 45.9, 49.0],
      [75.6, 47.6, 51.7],
    ]);
  });

  it("say of every row whether the kit has it, and why not", () => {
    for (const table of publishedDetectionTables) {
      for (const { reason } of table.rows) expect(reason ?? "a row of the kit's").toMatch(/.{10,}/);
    }
    const run = publishedDetectionTables.map(({ rows }) => rows.filter(({ reason }) => reason === undefined).length);
    expect(run).toEqual([3, 3, 0]); // C4, on public data that are not too large, by methods of the kit
    expect(table4!.rows.find((row) => row.pretraining === "unsupervised, IG-1B")!.reason).toContain("not public");
  });
});
