import { describe, expect, it } from "vitest";
import { byMeasure, measuresOf } from "../../../src/detection/metric/detection-metrics";
import {
  categoryRows,
  coverageNote,
  differenceRows,
  reversalNotes,
  validationFigure,
  transferFigure,
  transferNotes,
  transferNumbers,
  transferRows,
} from "../../../src/experiments/transfer/transfer-rows";
import { transferNamed, type Transfer } from "../../../src/experiments/transfer/transfer";
import { transferResult } from "../../../src/experiments/transfer/transfer-result";
import { exampleDetectorRun } from "../../runs/example-detector-run";

const transfer = transferNamed("bccd");
const stopped = { ...exampleDetectorRun(transfer.rows[0]!.detection, 1) };
const run = { ...stopped, manifest: { ...stopped.manifest, steps: 900 } };
const figure = (value: number) => ({
  value,
  drawn: Float64Array.from({ length: 9 }, (_, at) => value + at / 100),
});
const metricsOf = ({ rows }: Transfer, value: number) => ({
  ...byMeasure(measuresOf(rows[0]!.detection), () => figure(value)),
  categoryAp: [figure(0.3), figure(NaN)],
  maskCategoryAp: [figure(0.4), figure(NaN)],
});
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

  it("have the same as numbers, and nothing of rows without runs", () => {
    expect(transferNumbers(result)[0]).toEqual({
      initialization: "random",
      measure: "AP",
      value: 20,
      low: 20.2,
      high: 27.8,
      seeds: 1,
    });
    expect(transferNumbers(empty)).toEqual([]);
  });

  it("have each difference in points beside the paper's sign", () => {
    const rows = differenceRows(result);
    const [first] = rows;
    expect(rows).toHaveLength(result.measures.length);
    expect(first).toEqual({
      difference: "MoCo − random",
      measure: "AP",
      "in points": "+10.0 [+10.0, +10.0]",
      "in the paper": "higher (Table 2b)",
      "sign and interval": "same direction; one seed: no verdict",
    });
    expect(rows.find(({ measure }) => measure === "AP, any category")).toMatchObject({
      "in the paper": "not in the paper",
      "sign and interval": "–",
    });
    expect(differenceRows(empty)).toEqual([]);
  });

  it("have the AP of each category with its interval, and a dash where it has no objects", () => {
    expect(categoryRows(result)[0]).toEqual({ initialization: "random", even: "30.0 [30.2, 37.8]", odd: "–" });
  });

  it("say which pre-trained rows stand on the other side of random weights than in the paper", () => {
    expect(reversalNotes(result)).toEqual([]);
    const below = transferResult(transfer, [
      [{ run, metrics: metrics(0.3) }],
      [{ run: stopped, metrics: metrics(0.2) }],
    ]);
    expect(reversalNotes(below)).toEqual([
      "In the paper MoCo is above random weights (AP +22.1, Table 2b); here its mean over one seed is below them: " +
        "−10.0 [−10.0, −10.0] points by the bootstrap of seeds and images.",
    ]);
  });

  it("say which rows have runs", () => {
    expect(coverageNote(result)).toBe(
      "The runs have the rows of `moco transfer --preset bccd --rows all`, all of them.",
    );
    expect(coverageNote(transferResult(transfer, [[{ run, metrics: metrics(0.3) }], []]))).toBe(
      "The runs have the rows of `moco transfer --preset bccd --rows all` but MoCo.",
    );
    expect(coverageNote(empty)).toContain("No row of");
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
    expect(of).toMatchObject({ "in points": "−5.0 [−5.0, −5.0]", "in the paper": "lower (Table 5a)" });
    expect(categoryRows({ measures, ...rest }).slice(0, 2)).toEqual([
      { initialization: "random", even: "30.0 [30.2, 37.8]", odd: "–" },
      { initialization: "random, masks", even: "40.0 [40.2, 47.8]", odd: "–" },
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
    expect(notes.join(" ")).toContain("up to 400 detections per image (maxDets)");
  });

  it("are drawn with intervals, and along training", () => {
    const [ap50] = transferFigure(result).data;
    expect(ap50).toMatchObject({ x: ["random", "MoCo"], y: [20, 30] });
    expect(validationFigure(result).data[0]).toMatchObject({ name: "random", x: [2000], y: [50] });
  });
});
