import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  shufflingCells,
  shufflingFigures,
  shufflingNotes,
  shufflingRows,
  shufflingStudy,
  type ShufflingCell,
} from "../../../src/experiments/studies/shuffling";
import { presetNamed } from "../../../src/recipes/presets";
import { pretrain, type TrainingProgress } from "../../../src/train/pretrain";
import { parseRecipe } from "../../../src/train/recipe";
import { recipeHash } from "../../../src/train/recipe-hash";
import { tinyData, tinyMoco, tinyRecipe } from "../../train/tiny";
import { studyRun } from "./study-run";

const folder = mkdtempSync(join(tmpdir(), "moco-shuffling-"));
afterAll(() => rmSync(folder, { recursive: true }));

const quick = presetNamed("quick");
const cells = shufflingCells(quick, { groups: [1, 2, 8], epochs: 4 });

describe("shufflingCells", () => {
  it("has both methods, the groups, and the shuffle on and off where there is more than one group", () => {
    expect(cells.map(({ label }) => label)).toEqual(
      ["MoCo", "end-to-end"].flatMap((method) => [
        `${method}, 1 group`,
        `${method}, 2 groups, shuffle on`,
        `${method}, 2 groups, shuffle off`,
        `${method}, 8 groups, shuffle on`,
        `${method}, 8 groups, shuffle off`,
      ]),
    );
    for (const { recipe, groups, shuffle, method } of cells) {
      expect(() => parseRecipe(recipe)).not.toThrow();
      expect(recipe).toMatchObject({ bnGroups: groups, epochs: 4, method: { kind: method } });
      if (shuffle !== "either") expect(recipe.method).toMatchObject({ shuffleBN: shuffle === "on" });
    }
    expect(new Set(cells.map(({ recipe }) => recipeHash(recipe))).size).toBe(10);
  });

  it("leaves one of two out with one group, because a shuffle is the same computation there", async () => {
    const curves = [];
    for (const shuffleBN of [true, false]) {
      // A small rate: a training at a large one would double differences of rounding in each step.
      const recipe = tinyRecipe({ method: tinyMoco({ shuffleBN }), bnGroups: 1, learningRate: 1e-3 });
      let last: TrainingProgress | undefined;
      const options = { seed: 1, directory: join(folder, String(shuffleBN)) };
      for await (const progress of pretrain(recipe, tinyData(), options)) last = progress;
      curves.push(last!.history.curve);
    }
    const [on, off] = curves.map((curve) => curve.map(({ loss }) => loss)) as [number[], number[]];
    expect(on).toHaveLength(6);
    on.forEach((loss, index) => expect(loss).toBeCloseTo(off[index]!, 3));
  });
});

describe("shufflingStudy", () => {
  /** Runs by method and shuffle. */
  const runs = (values: Readonly<Record<string, [accuracy: number, knn: number]>>) => (cell: ShufflingCell) => {
    const [accuracy, knn] = values[`${cell.method} ${cell.shuffle}`]!;
    return Promise.resolve(studyRun({ accuracy, knn }));
  };
  const asPaper = {
    "moco either": [0.3, 0.4],
    "moco on": [0.3, 0.4],
    "moco off": [0.8, 0.35],
    "end-to-end either": [0.3, 0.4],
    "end-to-end on": [0.3, 0.4],
    "end-to-end off": [0.7, 0.3],
  } as const;
  const study = (values: Parameters<typeof runs>[0]) =>
    shufflingStudy(cells, (cell) => runs(values)(cell as ShufflingCell), 2000);

  it("judges pretext accuracy and kNN one by one by two standard errors", async () => {
    expect((await study(asPaper as never)).finding).toBe(
      "Without the shuffle, in points ± one standard error: MoCo in 8 groups, pretext accuracy +50.0 ± 0.0 (up, as in the paper), " +
        "kNN −5.0 ± 1.5 (down, as in the paper); end-to-end in 8 groups, pretext accuracy +40.0 ± 0.0 (up, as in the paper), kNN " +
        "−10.0 ± 1.5 (down, as in the paper). In the paper pretext accuracy goes up and kNN down (one seed here).",
    );
    // Two points of kNN are within two standard errors of 1.5.
    const mixed = { ...asPaper, "moco off": [0.2, 0.38], "end-to-end off": [0.9, 0.5] } as never;
    const { finding } = await study(mixed);
    expect(finding).toContain(
      "MoCo in 8 groups, pretext accuracy −10.0 ± 0.0 (down, against the paper), kNN −2.0 ± 1.5 (within",
    );
    expect(finding).toContain(
      "pretext accuracy +60.0 ± 0.0 (up, as in the paper), kNN +10.0 ± 1.6 (up, against the paper)",
    );
  });

  it("says how MoCo's pretext accuracy begins, and that there is one seed", async () => {
    // The queue of 1,024 keys is full after 16 steps of 64.
    const accuracies = [1, ...new Array<number>(15).fill(0.02), ...new Array<number>(20).fill(0.5)];
    const curve = accuracies.map((accuracy, index) => ({ step: index + 1, epoch: 0, loss: 1, accuracy }));
    const run = { ...studyRun({ knn: 0.4 }), curve };
    const notes = shufflingNotes(await shufflingStudy(cells, () => Promise.resolve(run), 564));
    expect(notes[0]).toBe(
      "MoCo's pretext accuracy is 100 % at the first step, when all keys of the queue are random vectors, and at most 2.0 % in steps 2 " +
        "to 16, while real keys replace them.",
    );
    expect(notes[1]).toContain("there is no interval over seeds");
    // Points that lie further apart do not show it.
    expect(shufflingNotes(await study(asPaper as never))).toHaveLength(1);
  });

  it("gives a row a training, and both halves of figure A.1 for both methods", async () => {
    const result = await study(asPaper as never);
    const rows = shufflingRows(result);
    expect(rows).toHaveLength(10);
    expect(rows[0]!["shuffle"]).toBe("on or off: the same computation");
    expect(rows[2]).toMatchObject({ "pretext accuracy, last fifth": "80.0 %", "kNN on validation": "35.0 %" });
    const figures = shufflingFigures(result);
    expect(figures).toHaveLength(4);
    for (const { data } of figures) expect(data).toHaveLength(5);
  });

  it("says so where no pair ended", async () => {
    const diverged = { curve: [], monitor: [], diverged: "Training diverged" };
    const { finding } = await shufflingStudy(cells, () => Promise.resolve(diverged), 2000);
    expect(finding).toBe("No pair of trainings with and without the shuffle came to its end.");
  });
});
