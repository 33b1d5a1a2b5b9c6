import { describe, expect, it } from "vitest";
import { InputError } from "../../../src/errors";
import { engineFigure, engineNotes, engineRows } from "../../../src/experiments/pytorch-parity/two-engines-rows";
import { engineTable } from "../../../src/report/terminal";
import { cifar10DemoRecipe } from "../../../src/recipes/cifar10-demo";
import { compareEngines, type EngineRun, type TwoEngines } from "../../../src/experiments/pytorch-parity/two-engines";

const lossAt = (epoch: number) => 7 - 0.2 * epoch;
const knnAt = (epoch: number) => 0.3 + 0.02 * epoch;
const official = [1, 2, 3, 4, 5, 6].map((epoch) => ({ epoch, loss: lossAt(epoch), knn: knnAt(epoch) }));

/** A made-up run whose curves lie beside the official one by what `off` says. */
function run(
  engine: string,
  seed: number,
  off: (epoch: number) => { loss?: number; knn?: number } = () => ({}),
): EngineRun {
  const curve = [1, 2, 3, 4, 5].map((epoch) => {
    const { loss = 0, knn = 0 } = off(epoch);
    return { epoch, loss: lossAt(epoch) + loss, knn: knnAt(epoch) + knn };
  });
  return { engine, seed, recipe: { ...cifar10DemoRecipe }, data: "0123abcd", curve };
}

/** Three seeds; the kit's lie beside PyTorch's by what `off` says for a seed and an epoch. */
function runs(off: (seed: number, epoch: number) => { loss?: number; knn?: number }): TwoEngines {
  const seeds = [1, 2, 3];
  return {
    kit: seeds.map((seed) => run("moco-kit 0.1.0", seed, (epoch) => off(seed, epoch))),
    pytorch: seeds.map((seed) => run("torch 2.6.0", seed)),
    official,
  };
}
const verdicts = (of: TwoEngines) => compareEngines(of).epochs.map(({ equivalence }) => equivalence);

describe("compareEngines", () => {
  it("shows equivalence where every pair of curves is close, whatever the first epoch does", () => {
    const close = runs((seed, epoch) =>
      epoch === 1 ? { loss: 2, knn: 0.2 } : { loss: 0.01 * (seed - 2), knn: 0.002 * (seed - 2) },
    );
    expect(verdicts(close)).toEqual(["not judged", "shown", "shown", "shown", "shown"]);
    expect(compareEngines(close)).toMatchObject({ equivalence: "shown", seeds: [1, 2, 3] });
  });

  it("takes Student's 90 % interval of the differences paired by seed", () => {
    const { epochs } = compareEngines(runs((seed) => ({ loss: 0.02 * seed, knn: -0.003 * seed })));
    // Differences 0.02, 0.04, 0.06: mean 0.04, standard error 0.02 / sqrt(3); t of 95 % and 2 degrees of freedom is 2.9200.
    const reach = (2.91998558 * 0.02) / Math.sqrt(3);
    const { loss, knn } = epochs[2]!.difference!;
    expect(loss.mean).toBeCloseTo(0.04, 12);
    expect(loss.low).toBeCloseTo(0.04 - reach, 8);
    expect(loss.high).toBeCloseTo(0.04 + reach, 8);
    expect(knn.mean).toBeCloseTo(-0.006, 12);
    expect(epochs[2]!.kit!.loss).toBeCloseTo(lossAt(3) + 0.04, 12);
    expect(epochs[2]!.pytorch!.loss).toBeCloseTo(lossAt(3), 12);
  });

  it("does not show it where the curves differ by more than the limit, in loss or in kNN", () => {
    const loss = runs((seed, epoch) => ({ loss: epoch === 4 ? 0.15 + 0.001 * seed : 0 }));
    expect(verdicts(loss)).toEqual(["not judged", "shown", "shown", "not shown", "shown"]);
    expect(compareEngines(loss).equivalence).toBe("not shown");
    const knn = runs((seed, epoch) => ({ knn: epoch === 3 ? -0.02 - 0.0001 * seed : 0 }));
    expect(verdicts(knn)).toEqual(["not judged", "shown", "not shown", "shown", "shown"]);
  });

  it("does not show it where the mean is close, but seeds scatter too much to say so", () => {
    const noisy = runs((seed) => ({ loss: 0.09 * (seed - 2) }));
    expect(compareEngines(noisy).epochs[1]!.difference!.loss.mean).toBeCloseTo(0, 12);
    expect(verdicts(noisy)).toEqual(["not judged", "not shown", "not shown", "not shown", "not shown"]);
  });

  it("does not show it with fewer than three seeds of both, or none", () => {
    const equal = runs(() => ({}));
    const two = { ...equal, pytorch: equal.pytorch.slice(1) };
    expect(verdicts(two)).toEqual(["not judged", "not shown", "not shown", "not shown", "not shown"]);
    expect(compareEngines(two)).toMatchObject({ seeds: [2, 3], equivalence: "not shown" });
    expect(engineNotes(compareEngines(two))[0]).toContain("2 seeds of both engines are recorded");
    const none = compareEngines({ kit: [], pytorch: [], official });
    expect(none.equivalence).toBe("not shown");
    expect(engineRows(none)[1]).toMatchObject({ epoch: "2", "loss, kit": "–", "loss, official, width 64": "6.600" });
  });

  it("pairs by seed, not by order", () => {
    const equal = runs((seed) => ({ loss: seed }));
    const turned = { ...equal, kit: [...equal.kit].reverse() };
    expect(compareEngines(turned).epochs[0]!.difference!.loss.mean).toBeCloseTo(2, 12);
    expect(compareEngines({ ...turned, pytorch: turned.pytorch.slice(0, 1) }).epochs[0]!.kit!.loss).toBeCloseTo(
      7.8,
      12,
    );
  });

  it("refuses runs of another recipe, of other images, or that stopped early", () => {
    const equal = runs(() => ({}));
    const withFirst = (change: Partial<EngineRun>) => () =>
      compareEngines({ ...equal, kit: [equal.kit[0]!, { ...equal.kit[1]!, ...change }] });
    expect(withFirst({ recipe: { ...cifar10DemoRecipe, learningRate: 0.03 } })).toThrow(InputError);
    expect(withFirst({ data: "other" })).toThrow("those of moco-kit 0.1.0, seed 2 differ");
    expect(withFirst({ curve: equal.kit[1]!.curve.slice(0, 4) })).toThrow("seed 2 are 1, 2, 3, 4");
    expect(withFirst({ recipe: { ...cifar10DemoRecipe, dataset: "folder:elsewhere" } })).not.toThrow();
  });
});

describe("the report of two engines", () => {
  const comparison = compareEngines(runs((seed) => ({ loss: 0.01 * seed, knn: -0.001 * seed })));

  it("has a row for each epoch, the official log beside", () => {
    expect(engineRows(comparison)[1]).toEqual({
      epoch: "2",
      "loss, kit": "6.620",
      "loss, PyTorch": "6.600",
      "loss, kit − PyTorch": "+0.020 [+0.003, +0.037]",
      "loss, official, width 64": "6.600",
      "kNN (%), kit": "33.8",
      "kNN (%), PyTorch": "34.0",
      "kNN (%), kit − PyTorch": "−0.2 [−0.4, −0.0]",
      "kNN (%), official, width 64": "34.0",
      equivalence: "shown",
    });
  });

  it("says the rule, the engines and how the official run differs", () => {
    const text = engineTable(comparison);
    expect(text).toContain("Equivalence is shown, with seeds 1, 2, 3 of moco-kit 0.1.0 and torch 2.6.0.");
    expect(text).toContain("lies within ±0.1 in loss and ±1.5 points of kNN; epoch 2 is the first to be judged");
    for (const difference of [
      "width 64 where ours is 16",
      "JPEG copies of quality 75",
      "Of its 200 epochs the first",
    ]) {
      expect(text).toContain(difference);
    }
  });

  it("draws the means, the seeds and the official curve", () => {
    const { data } = engineFigure(comparison, "knn");
    expect(data.map(({ name, mode, y }) => [name, mode, y.length])).toEqual([
      ["kit, mean", "lines", 5],
      ["kit, seeds", "markers", 15],
      ["PyTorch, mean", "lines", 5],
      ["PyTorch, seeds", "markers", 15],
      ["official, width 64", "lines", 5],
    ]);
    expect(data[0]!.y[1]).toBeCloseTo(33.8, 10);
    expect(engineFigure(compareEngines({ kit: [], pytorch: [], official }), "loss").data).toHaveLength(1);
  });
});
