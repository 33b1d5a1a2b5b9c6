import { describe, expect, it } from "vitest";
import {
  informationBound,
  informationBoundFigure,
  informationBoundRows,
  type BoundCell,
} from "../../../src/experiments/studies/information-bound";
import { tinyRecipe } from "../../train/tiny";
import { studyRun } from "./study-run";

const cells: BoundCell[] = [7, 63].map((negatives) => ({ label: `K = ${negatives}`, recipe: tinyRecipe(), negatives }));
const study = (loss: (negatives: number) => number) =>
  informationBound(cells, (cell) => Promise.resolve([studyRun({ loss: loss((cell as BoundCell).negatives) })]));

describe("informationBound", () => {
  it("is 0 at chance loss and the ceiling at loss 0", async () => {
    const { curves: chance } = await study((negatives) => Math.log(negatives + 1));
    const { curves: certain } = await study(() => 0);
    for (const { ends, points } of chance) {
      expect(ends[0]).toBeCloseTo(0, 12);
      for (const { bound } of points) expect(bound).toBeCloseTo(0, 12);
    }
    certain.forEach(({ ends, ceiling, negatives }) => {
      expect(ceiling).toBeCloseTo(Math.log(negatives + 1), 12);
      expect(ends[0]).toBeCloseTo(ceiling, 12);
    });
  });

  it("says how much of the higher ceiling the bound uses", async () => {
    const { finding } = await study((negatives) => (negatives === 7 ? 1 : 2));
    expect(finding).toBe(
      "The bound ends at 1.08 of at most 2.08 nats (51.9 %) at K = 7 and 2.16 of at most 4.16 nats (51.9 %) at K = 63: from " +
        "the smaller dictionary to the larger the ceiling rises by 2.08 nats, the bound rises by 1.08 (one seed).",
    );
    expect((await study((negatives) => (negatives === 7 ? 0.5 : 3))).finding).toContain("the bound falls by 0.42 (one");
  });

  it("has intervals over seeds, and of the change paired by seed", async () => {
    const losses = (negatives: number) => (negatives === 7 ? [0.5, 0.6, 0.7] : [3, 3.1, 3.2]);
    const result = await informationBound(cells, (cell) =>
      Promise.resolve(losses((cell as BoundCell).negatives).map((loss) => studyRun({ loss }))),
    );
    // Student's 97.5 % quantile with two degrees of freedom is 4.30, the standard error 0.1 / sqrt(3).
    expect(informationBoundRows(result)[0]).toMatchObject({
      "bound, last fifth, nats": "1.48 [1.23, 1.73]",
      seeds: "3",
    });
    expect(result.finding).toContain("the bound falls by 0.42 [0.42, 0.42] (3 seeds).");
  });

  it("begins when the queue holds no random vectors any more", async () => {
    // Batches of 8 fill the 63 keys in eight steps, so the point of step 10 has some of them; 127 take sixteen.
    const longer = { ...cells[1]!, negatives: 127 };
    const { curves } = await informationBound([...cells, longer], () => Promise.resolve([studyRun({})]));
    expect(curves.map(({ points }) => points[0]!.step)).toEqual([20, 20, 30]);
  });

  it("has no end where a training diverged at once", async () => {
    const result = await informationBound(cells, () =>
      Promise.resolve([{ curve: [], monitor: [], diverged: "Training diverged" }]),
    );
    expect(result.finding).toBe("No training went on until its queue was full.");
    expect(informationBoundRows(result)[0]!["bound, last fifth, nats"]).toBe("–");
  });

  it("draws each curve below its ceiling, in the same color", async () => {
    const { data } = informationBoundFigure(await study(() => 1));
    expect(data.map(({ name }) => name)).toEqual(["K = 7", "ceiling, K = 7", "K = 63", "ceiling, K = 63"]);
    const colors = data.map((trace) => (trace["line"] as { color: string }).color);
    expect(colors).toEqual([colors[0], colors[0], colors[2], colors[2]]);
    expect(colors[0]).not.toBe(colors[2]);
    for (const index of [0, 2]) {
      data[index]!.y.forEach((bound, at) => expect(bound).toBeCloseTo(data[index + 1]!.y[at]! - 1, 12));
    }
  });
});
