import { describe, expect, it } from "vitest";
import { byMeasure, measuresOf } from "../../../src/detection/metric/detection-metrics";
import { publishedRows } from "../../../src/experiments/transfer/published-rows";
import { transferNamed } from "../../../src/experiments/transfer/transfer";
import { transferResult } from "../../../src/experiments/transfer/transfer-result";
import { publishedCoco } from "../../../src/paper/published-coco";
import { publishedDetectionTables } from "../../../src/paper/published-detection";
import { exampleDetectorRun } from "../../runs/example-detector-run";

const transfer = transferNamed("smoke");
const figure = { value: 0.2, drawn: Float64Array.of(0.2) };
const metrics = { ...byMeasure(measuresOf(transfer.rows[0]!.detection), () => figure), categoryAp: [] };
/** Random weights and MoCo have a run each. */
const result = transferResult(
  transfer,
  transfer.rows.map(({ label, detection }) =>
    ["random", "MoCo"].includes(label) ? [{ run: exampleDetectorRun(detection, 1), metrics }] : [],
  ),
);

describe("publishedRows", () => {
  it("says of each row whether it has runs, and why the kit has none of it", () => {
    const [table2, table3, table4] = publishedDetectionTables.map((table) => publishedRows(table, result));
    const c4 = (rows: typeof table2) => rows!.filter(({ detector }) => detector === "R50-C4").map(({ here }) => here);
    expect(c4(table2)).toEqual([
      "run, at the kit's scale",
      "not run",
      "run, at the kit's scale",
      "as published: Instagram-1B is not public",
    ]);
    expect(c4(table3)).toEqual(["not run", "not run", "run, at the kit's scale"]);
    expect(table4!.every(({ here }) => here!.startsWith("as published: "))).toBe(true);
  });

  it("has the values as printed", () => {
    expect(publishedRows(publishedCoco, result)[0]).toMatchObject({
      "detector and schedule": "R50-FPN, 1x",
      "AP, masks": "28.5",
    });
  });
});
