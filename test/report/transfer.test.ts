import { describe, expect, it } from "vitest";
import { detectionMeasures, type DetectionMeasure } from "../../src/detection/detection-measures";
import {
  categoryRows,
  differenceRows,
  readingsFigure,
  transferFigure,
  transferNotes,
  transferRows,
} from "../../src/report/transfer";
import { transferNamed } from "../../src/tables/transfer";
import { transferResult } from "../../src/tables/transfer-result";
import { exampleDetectorRun } from "../reproduce/example-detector-run";

const transfer = transferNamed("bccd");
const stopped = { ...exampleDetectorRun(transfer.rows[0]!.detection, 1) };
const run = { ...stopped, manifest: { ...stopped.manifest, steps: 900 } };
const figures = (value: number) =>
  Object.fromEntries(
    detectionMeasures.map((one) => [
      one,
      { value, drawn: Float64Array.from({ length: 9 }, (_, at) => value + at / 100) },
    ]),
  ) as Record<DetectionMeasure, { value: number; drawn: Float64Array }>;
const result = transferResult(transfer, [[{ run, figures: figures(0.2) }], [{ run: stopped, figures: figures(0.3) }]]);
const empty = transferResult(transfer, [[], []]);

describe("the tables of a transfer", () => {
  it("have the figures in percent with intervals, and how each training ended", () => {
    const [random, moco] = transferRows(result);
    expect(random).toMatchObject({
      initialisation: "random",
      AP: "20.0 [20.2, 27.8]",
      seeds: "1",
      state: "ended at 900",
    });
    expect(moco!["state"]).toBe("2000, still rising");
    expect(transferRows(empty)[0]).toMatchObject({ AP: "–", state: "not run" });
  });

  it("have each difference in points beside the paper's sign", () => {
    const [first, ...others] = differenceRows(result);
    expect(others).toHaveLength(detectionMeasures.length - 1);
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
    expect(categoryRows(result)[0]).toEqual({ initialisation: "random", even: "30.0", odd: "–" });
  });

  it("say what was trained and what intervals are of, and that nothing was", () => {
    expect(transferNotes(result).join(" ")).toContain("at most 2000 iterations");
    expect(transferNotes(empty)).toEqual(["Nothing has been run yet."]);
  });

  it("say how many detections of a picture count, where it is not what COCO's rules say", () => {
    expect(transferNotes(result).join(" ")).not.toContain("maxDets");
    const recipe = { ...run.manifest.recipe, detector: { ...run.manifest.recipe.detector, detectionsPerImage: 400 } };
    const crowded = { ...run, manifest: { ...run.manifest, recipe } };
    const notes = transferNotes(transferResult(transfer, [[{ run: crowded, figures: figures(0.2) }], []]));
    expect(notes.join(" ")).toContain("up to 400 detections a picture (maxDets)");
  });

  it("are drawn with intervals, and along training", () => {
    const [ap50] = transferFigure(result).data;
    expect(ap50).toMatchObject({ x: ["random", "MoCo"], y: [20, 30] });
    expect(readingsFigure(result).data[0]).toMatchObject({ name: "random", x: [2000], y: [50] });
  });
});
