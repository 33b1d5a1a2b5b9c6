import { describe, expect, it } from "vitest";
import { byMeasure, measuresOf } from "../../../src/detection/metric/detection-metrics";
import {
  categoryRows,
  differenceRows,
  validationFigure,
  transferFigure,
  transferNotes,
  transferRows,
} from "../../../src/experiments/transfer/transfer-rows";
import { transferNamed, type Transfer } from "../../../src/experiments/transfer/transfer";
import { transferResult } from "../../../src/experiments/transfer/transfer-result";
import { exampleDetectorRun } from "../../runs/example-detector-run";

const transfer = transferNamed("bccd");
const stopped = { ...exampleDetectorRun(transfer.rows[0]!.detection, 1) };
const run = { ...stopped, manifest: { ...stopped.manifest, steps: 900 } };
const metricsOf = ({ rows }: Transfer, value: number) =>
  byMeasure(measuresOf(rows[0]!.detection), () => ({
    value,
    drawn: Float64Array.from({ length: 9 }, (_, at) => value + at / 100),
  }));
const metrics = (value: number) => metricsOf(transfer, value);
const result = transferResult(transfer, [[{ run, metrics: metrics(0.2) }], [{ run: stopped, metrics: metrics(0.3) }]]);
const empty = transferResult(transfer, [[], []]);

describe("the tables of a transfer", () => {
  it("have the metrics in percent with intervals, and how each training ended", () => {
    const [random, moco] = transferRows(result);
    expect(random).toMatchObject({
      initialization: "random",
      AP: "20.0 [20.2, 27.8]",
      seeds: "1",
      state: "ended at 900",
    });
    expect(moco!["state"]).toBe("2000, still rising");
    expect(transferRows(empty)[0]).toMatchObject({ AP: "–", state: "not run" });
  });

  it("have each difference in points beside the paper's sign", () => {
    const [first, ...others] = differenceRows(result);
    expect(others).toHaveLength(result.measures.length - 1);
    expect(first).toEqual({
      difference: "MoCo − random",
      measure: "AP",
      "in points": "+10.0 [+10.0, +10.0]",
      "in the paper": "higher (Table 2b, AP50)",
      agreement: "same direction; one seed: no verdict",
    });
    expect(differenceRows(empty)).toEqual([]);
  });

  it("have the AP of each category, and a dash where it has no objects", () => {
    expect(categoryRows(result)[0]).toEqual({ initialization: "random", even: "30.0", odd: "–" });
  });

  it("have masks where they are predicted, each beside the paper's sign of its own", () => {
    const withMasks = transferNamed("quick-fpn");
    const [example] = withMasks.rows.map(({ detection }) => exampleDetectorRun(detection, 1));
    const masks = { ...example!.metrics.coco!, categoryAp: [0.4, null] };
    const ofMasks = { ...example!, metrics: { ...example!.metrics, masks } };
    const rows = [0.2, 0.3, 0.25].map((value) => [{ run: ofMasks, metrics: metricsOf(withMasks, value) }]);
    const { measures, ...rest } = transferResult(withMasks, rows);
    expect(transferRows({ measures, ...rest })[0]).toMatchObject({ "AP, masks": "20.0 [20.2, 27.8]" });
    const of = differenceRows({ measures, ...rest }).find(
      (row) => row["difference"] === "MoCo − supervised" && row["measure"] === "AP, masks",
    );
    expect(of).toMatchObject({ "in points": "−5.0 [−5.0, −5.0]", "in the paper": "lower (Table 5a, AP)" });
    expect(categoryRows({ measures, ...rest }).slice(0, 2)).toEqual([
      { initialization: "random", even: "30.0", odd: "–" },
      { initialization: "random, masks", even: "40.0", odd: "–" },
    ]);
    expect(transferNotes({ measures, ...rest }).join(" ")).toContain("Mask R-CNN");
    expect(transferFigure({ measures, ...rest }).data.map(({ name }) => name)).toContain("AP50, masks");
  });

  it("say what was trained and what intervals are of, and that nothing was", () => {
    expect(transferNotes(result).join(" ")).toContain("at most 2000 iterations");
    expect(transferNotes(empty)).toEqual(["Nothing has been run yet."]);
  });

  it("say how many detections of an image count, where it is not what COCO's rules say", () => {
    expect(transferNotes(result).join(" ")).not.toContain("maxDets");
    const recipe = { ...run.manifest.recipe, detector: { ...run.manifest.recipe.detector, detectionsPerImage: 400 } };
    const crowded = { ...run, manifest: { ...run.manifest, recipe } };
    const notes = transferNotes(transferResult(transfer, [[{ run: crowded, metrics: metrics(0.2) }], []]));
    expect(notes.join(" ")).toContain("up to 400 detections an image (maxDets)");
  });

  it("are drawn with intervals, and along training", () => {
    const [ap50] = transferFigure(result).data;
    expect(ap50).toMatchObject({ x: ["random", "MoCo"], y: [20, 30] });
    expect(validationFigure(result).data[0]).toMatchObject({ name: "random", x: [2000], y: [50] });
  });
});
