import { describe, expect, it } from "vitest";
import { detectionPresetNames } from "../../src/recipes/detection-presets";
import { publishedCocoTables } from "../../src/paper/published-coco";
import { publishedTaskTables } from "../../src/paper/published-tasks";
import type { PublishedTable } from "../../src/paper/published-table";

const [table5, tableA1] = publishedCocoTables;
const [table6, lvis] = publishedTaskTables;

/** Figures of a measure of each row: random, supervised, MoCo on IN-1M and on IG-1B, in one block. */
function printed(table: PublishedTable | undefined, column: string, measure: string) {
  const index = table!.measures.indexOf(measure);
  return table!.rows.filter((row) => row.column === column).map(({ values }) => values[index]);
}

// Written out again from MoCo, arXiv 1911.05722v3, measure by measure, so that a slip in the source does not pass.
describe("published tables of COCO", () => {
  it("have Table 5 whole, boxes", () => {
    const boxes = (column: string) =>
      ["AP, boxes", "AP50, boxes", "AP75, boxes"].map((one) => printed(table5, column, one));
    expect(boxes("R50-FPN, 1x")).toEqual([
      [31.0, 38.9, 38.5, 38.9],
      [49.5, 59.6, 58.9, 59.4],
      [33.2, 42.7, 42.0, 42.3],
    ]);
    expect(boxes("R50-FPN, 2x")).toEqual([
      [36.7, 40.6, 40.8, 41.1],
      [56.7, 61.3, 61.6, 61.8],
      [40.0, 44.4, 44.7, 45.1],
    ]);
    expect(boxes("R50-C4, 1x")).toEqual([
      [26.4, 38.2, 38.5, 39.1],
      [44.0, 58.2, 58.3, 58.7],
      [27.8, 41.2, 41.6, 42.2],
    ]);
    expect(boxes("R50-C4, 2x")).toEqual([
      [35.6, 40.0, 40.7, 41.1],
      [54.6, 59.9, 60.5, 60.7],
      [38.2, 43.1, 44.1, 44.8],
    ]);
  });

  it("have Table 5 whole, masks, the odd ones of random weights with C4 as printed", () => {
    const masks = (column: string) =>
      ["AP, masks", "AP50, masks", "AP75, masks"].map((one) => printed(table5, column, one));
    expect(masks("R50-FPN, 1x")).toEqual([
      [28.5, 35.4, 35.1, 35.4],
      [46.8, 56.5, 55.9, 56.5],
      [30.4, 38.1, 37.7, 37.9],
    ]);
    expect(masks("R50-FPN, 2x")).toEqual([
      [33.7, 36.8, 36.9, 37.4],
      [53.8, 58.1, 58.4, 59.1],
      [35.9, 39.5, 39.7, 40.2],
    ]);
    expect(masks("R50-C4, 1x")).toEqual([
      [29.3, 33.3, 33.6, 34.1],
      [46.9, 54.7, 54.8, 55.4],
      [30.8, 35.2, 35.6, 36.4],
    ]);
    expect(masks("R50-C4, 2x")).toEqual([
      [31.4, 34.7, 35.4, 35.6],
      [51.5, 56.5, 57.3, 57.4],
      [33.5, 36.9, 37.6, 38.1],
    ]);
    expect(table5!.note).toContain("kept as printed");
  });

  it("have Table A.1's longest schedule", () => {
    expect(tableA1!.measures.map((one) => printed(tableA1, "R50-FPN, 6x", one))).toEqual([
      [41.4, 41.9, 42.3, 42.8],
      [61.9, 62.5, 62.7, 63.2],
      [45.1, 45.6, 46.2, 47.0],
      [37.6, 38.0, 38.3, 38.7],
      [59.1, 59.6, 60.1, 60.5],
      [40.3, 40.8, 41.2, 41.3],
    ]);
  });

  it("have Table 6 whole", () => {
    const block = (task: string) => table6!.rows.filter(({ column }) => column === task).map(({ values }) => values);
    expect(printed(table6, "COCO keypoints", "AP")).toEqual([65.9, 65.8, 66.8, 66.9]);
    expect(printed(table6, "COCO keypoints", "AP50")).toEqual([86.5, 86.9, 87.4, 87.8]);
    expect(printed(table6, "COCO keypoints", "AP75")).toEqual([71.7, 71.9, 72.5, 73.0]);
    expect(printed(table6, "COCO dense pose", "AP")).toEqual([39.4, 48.3, 50.1, 50.6]);
    expect(printed(table6, "COCO dense pose", "AP50")).toEqual([78.5, 85.6, 86.8, 87.0]);
    expect(printed(table6, "COCO dense pose", "AP75")).toEqual([35.1, 50.6, 53.9, 54.3]);
    expect(printed(table6, "LVIS v0.5 instance segmentation", "AP")).toEqual([22.5, 24.4, 24.1, 24.9]);
    expect(printed(table6, "LVIS v0.5 instance segmentation", "AP50")).toEqual([34.8, 37.8, 37.4, 38.2]);
    expect(printed(table6, "LVIS v0.5 instance segmentation", "AP75")).toEqual([23.8, 25.8, 25.5, 26.4]);
    expect(block("Cityscapes instance segmentation")).toEqual([
      [25.4, 51.1],
      [32.9, 59.6],
      [32.3, 59.3],
      [32.9, 60.3],
    ]);
    expect(printed(table6, "Cityscapes semantic segmentation", "mean IoU")).toEqual([65.3, 74.6, 75.3, 75.5]);
    expect(printed(table6, "VOC semantic segmentation", "mean IoU")).toEqual([39.5, 74.4, 72.5, 73.6]);
  });

  it("have the appendix's batch normalization on LVIS", () => {
    expect(lvis!.rows.map(({ column, values }) => [column, ...values])).toEqual([
      ["frozen, 1x", 24.1, 37.3, 25.4],
      ["frozen, 2x", 24.4, 37.8, 25.8],
      ["trained, 1x", 23.5, 36.6, 24.8],
      ["trained, 2x", 23.2, 36.0, 24.4],
      ["trained, 1x", 23.2, 36.0, 24.7],
      ["trained, 2x", 24.1, 37.4, 25.5],
      ["trained, 1x", 24.3, 37.4, 25.9],
      ["trained, 2x", 24.9, 38.2, 26.4],
    ]);
  });

  it("say of every row whether the kit has it, and why not: FPN 1x is, but for Instagram's", () => {
    const tables = [...publishedCocoTables, ...publishedTaskTables];
    for (const { reason } of tables.flatMap(({ rows }) => rows))
      expect(reason ?? "a row of the kit's").toMatch(/.{10,}/);
    const run = tables.flatMap((table) => table.rows.filter(({ reason }) => reason === undefined));
    expect(run.map(({ pretraining, column }) => `${pretraining}; ${column}`)).toEqual([
      "random; R50-FPN, 1x",
      "supervised, IN-1M; R50-FPN, 1x",
      "MoCo, IN-1M; R50-FPN, 1x",
    ]);
  });

  it("name presets of moco detect that there are", () => {
    const named = publishedCocoTables.flatMap(({ rows }) =>
      rows.flatMap(({ reason }) => /--preset (\S+)/.exec(reason ?? "")?.[1] ?? []),
    );
    expect(new Set(named).size).toBe(4);
    expect(detectionPresetNames).toEqual(expect.arrayContaining(named));
  });
});
