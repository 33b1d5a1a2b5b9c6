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
  informationBound(cells, (cell) => Promise.resolve(studyRun({ loss: loss((cell as BoundCell).negatives) })));

describe("informationBound", () => {
  it("is 0 at chance loss and the ceiling at loss 0", async () => {
    const { curves: chance } = await study((negatives) => Math.log(negatives + 1));
    const { curves: certain } = await study(() => 0);
    for (const { last, points } of chance) {
      expect(last).toBeCloseTo(0, 12);
      for (const { bound } of points) expect(bound).toBeCloseTo(0, 12);
    }
    certain.forEach(({ last, ceiling, negatives }) => {
      expect(ceiling).toBeCloseTo(Math.log(negatives + 1), 12);
      expect(last).toBeCloseTo(ceiling, 12);
    });
  });

  it("says how much of the higher ceiling the bound uses", async () => {
    const { finding } = await study((negatives) => (negatives === 7 ? 1 : 2));
    expect(finding).toBe(
      "The bound ends at 1.08 of at most 2.08 nats (51.9 %) at K = 7 and 2.16 of at most 4.16 nats (51.9 %) at K = 63: of " +
        "the 2.08 nats that the larger dictionary adds to the ceiling, the bound gains 1.08.",
    );
    expect((await study((negatives) => (negatives === 7 ? 0.5 : 3))).finding).toContain("the bound loses 0.42.");
  });

  it("begins when the queue holds no random vectors any more", async () => {
    // Batches of 8 fill the 63 keys in eight steps, so the point of step 10 has some of them; 127 take sixteen.
    const longer = { ...cells[1]!, negatives: 127 };
    const { curves } = await informationBound([...cells, longer], () => Promise.resolve(studyRun({})));
    expect(curves.map(({ points }) => points[0]!.step)).toEqual([20, 20, 30]);
  });

  it("has no end where a training diverged at once", async () => {
    const result = await informationBound(cells, () =>
      Promise.resolve({ curve: [], monitor: [], diverged: "Training diverged" }),
    );
    expect(result.finding).toBe("No training went on until its queue was full.");
    expect(informationBoundRows(result)[0]!["bound, last fifth, nats"]).toBe("–");
  });

  it("draws each curve below its ceiling", async () => {
    const { data } = informationBoundFigure(await study(() => 1));
    expect(data.map(({ name }) => name)).toEqual(["K = 7", "ceiling, K = 7", "K = 63", "ceiling, K = 63"]);
    for (const index of [0, 2]) {
      data[index]!.y.forEach((bound, at) => expect(bound).toBeCloseTo(data[index + 1]!.y[at]! - 1, 12));
    }
  });
});
