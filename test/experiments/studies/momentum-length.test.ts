import { describe, expect, it } from "vitest";
import { heatMapBundle } from "../../../src/display/heat-map";
import {
  isTooShort,
  momentumLengthCells,
  momentumLengthMap,
  momentumLengthNotes,
  momentumLengthNumbers,
  momentumLengthRows,
  momentumLengthStudy,
  type MomentumLengthCell,
} from "../../../src/experiments/studies/momentum-length";
import { studySizes } from "../../../src/experiments/studies/sizes";
import type { StudyRun } from "../../../src/experiments/studies/study";
import { presetNamed } from "../../../src/recipes/presets";
import { recipeHash } from "../../../src/train/recipe-hash";
import { studyRun } from "./study-run";

const quick = presetNamed("quick");
const cells = momentumLengthCells(quick, studySizes(quick).momentumLength);
const counts = { stepsPerEpoch: 35, validationImages: 564 };

function study(runOf: (cell: MomentumLengthCell) => StudyRun) {
  return momentumLengthStudy(cells, (cell) => Promise.resolve(runOf(cell as MomentumLengthCell)), counts);
}

describe("isTooShort", () => {
  it("compares 1 / (1 - m) with a third of the training", () => {
    expect(isTooShort(0.99, 300)).toBe(false);
    expect(isTooShort(0.99, 299)).toBe(true);
    expect(isTooShort(0.9, 30)).toBe(false);
    expect(isTooShort(0.9, 29)).toBe(true);
    expect(isTooShort(0, 3)).toBe(false);
  });
});

describe("momentumLengthCells", () => {
  it("has five momenta at four lengths, no two cells alike", () => {
    expect(cells).toHaveLength(20);
    const hashes = new Set(cells.map(({ recipe }) => recipeHash(recipe)));
    expect(hashes.size).toBe(20);
  });
});

describe("momentumLengthStudy", () => {
  it("says how often the key encoder turns over, and which cells are too short", async () => {
    const { rows } = await study(() => studyRun({ knn: 0.4 }));
    const row = (momentum: number, epochs: number) =>
      rows.find((one) => one.momentum === momentum && one.epochs === epochs)!;
    expect(row(0.99, 10)).toMatchObject({ steps: 350, tooShort: false });
    expect(row(0.99, 10).turnovers).toBeCloseTo(3.5, 9);
    expect(row(0.99, 4)).toMatchObject({ steps: 140, tooShort: true });
    expect(rows.filter(({ tooShort }) => tooShort)).toHaveLength(3 + 2 * 4);
  });

  it("names the best m that can be judged at each length, and those that are not told apart from it", async () => {
    const accuracy = new Map([
      [0, 0.2],
      [0.9, 0.4],
      [0.99, 0.42],
      [0.999, 0.9],
    ]);
    const { finding } = await study(({ momentum }) => studyRun({ knn: accuracy.get(momentum) ?? 0.1 }));
    // At 10 epochs m = 0.99 is judged, m = 0.999 is not; the error of a difference is 2.9 points.
    expect(finding).toBe(
      "The best m that can be judged is m = 0.9 at 1 epoch (40.0 %); m = 0.9 at 2 epochs (40.0 %); m = 0.9 at 4 epochs " +
        "(40.0 %); m = 0.99 at 10 epochs (42.0 %, not told apart from m = 0.9 by two standard errors); 11 of the 20 cells " +
        "are too short to judge, 4 of them higher than any that can be judged: 90.0 % (m = 0.999, 1 epoch), 90.0 % " +
        "(m = 0.999, 2 epochs) and 2 more (one seed).",
    );
    const { finding: none } = await study(({ momentum }) => studyRun({ knn: momentum === 0 ? 0.4 : 0.3 }));
    expect(none).toContain("11 of the 20 cells are too short to judge (one seed).");
  });

  it("says that it has no interval over seeds, and what the choice of images alone does", async () => {
    expect(momentumLengthNotes(await study(() => studyRun({ knn: 0.4 })))).toEqual([
      "One seed per training, so there is no interval over seeds. The choice of the 564 validation images alone gives a kNN accuracy a " +
        "standard error of up to 2.1 points.",
    ]);
  });

  it("leaves diverged trainings out of the finding and says so in the table", async () => {
    const result = await study(({ momentum }) =>
      momentum === 0 ? studyRun({ knn: 0.9, diverged: "Training diverged" }) : studyRun({ knn: 0.4 }),
    );
    expect(result.finding).not.toContain("m = 0 ");
    const [first, second] = momentumLengthRows(result);
    expect(first!["10 epochs"]).toBe("diverged, steps × (1 − m) = 350");
    expect(second!["1 epoch"]).toBe("40.0 %, steps × (1 − m) = 3.5");
    expect(momentumLengthRows(result).at(-1)!["1 epoch"]).toContain("too short to judge");
  });

  it("has the same as numbers", async () => {
    const numbers = momentumLengthNumbers(await study(() => studyRun({ knn: 0.4 })));
    expect(numbers).toHaveLength(20);
    expect(numbers.at(-1)).toEqual({ m: 0.9999, epochs: 10, steps: 350, knn: 40, judged: false });
  });

  it("draws a heat map with the marks of the table", async () => {
    const map = momentumLengthMap(await study(({ epochs }) => studyRun({ knn: epochs / 20 })));
    expect(map.values).toEqual(map.y.map(() => [5, 10, 20, 50]));
    expect(map.texts[2]).toEqual(["5.0 *", "10.0 *", "20.0 *", "50.0"]);
    const bundle = heatMapBundle(map);
    expect(bundle["image/svg+xml"]).toContain("20.0 *</text>");
    expect(bundle["text/plain"]).toContain("m 0.99: epochs 1: 5.0 *, epochs 2: 10.0 *");
  });
});
