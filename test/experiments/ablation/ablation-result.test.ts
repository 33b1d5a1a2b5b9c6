import { describe, expect, it } from "vitest";
import { methodRecipe } from "../../../src/recipes/method-recipes";
import { momentumAblation } from "../../../src/experiments/ablation/momentum";
import { presetNamed } from "../../../src/recipes/presets";
import { queueSizeAblation } from "../../../src/experiments/ablation/queue-size";
import { ablationResult, type ResultRow } from "../../../src/experiments/ablation/ablation-result";
import { type Baselines } from "../../../src/runs/baselines";
import { type RunRecord } from "../../../src/runs/run-record";
import { exampleBaselines, exampleRun } from "../../runs/example-run";

const ablation = momentumAblation(presetNamed("smoke")); // m = 0 and the reference, m = 0.99
const [zero, reference] = ablation.cells;
const { encoder } = zero!.recipe;
const baselines = exampleBaselines(encoder, [8, 8], 10);

/** Row of m = 0 as its runs come out beside a reference that trained. */
function rowOf(runs: readonly RunRecord[], beside: Baselines = baselines): ResultRow {
  const others = runs.map((_, index) => exampleRun(reference!.recipe, index + 1, 30));
  return ablationResult(ablation, [runs, others], beside).rows[0]!;
}

/** A run of m = 0 of 100 steps with these losses. Its queue of 128 is full after 2 batches of 64. */
function runWithLoss(loss: (step: number) => number, recipe = zero!.recipe): RunRecord {
  const run = exampleRun(recipe, 1, 30);
  return { ...run, curve: run.curve.map((point) => ({ ...point, loss: loss(point.step) })) };
}

const diverged: RunRecord = {
  ...exampleRun(zero!.recipe, 1, 30),
  evaluation: undefined,
  diverged: "the loss is not a number at step 40",
};

describe("failure of a cell", () => {
  it("is undefined for a cell that trained", () => {
    expect(rowOf([exampleRun(zero!.recipe, 1, 30)]).failure).toBeUndefined();
  });

  it("is divergence, in the words of the run, and no accuracy is shown or compared", () => {
    const row = rowOf([diverged]);
    expect(row).toMatchObject({ failure: "failed: the loss is not a number at step 40", metrics: {}, agreement: {} });
    expect(row.seeds).toBe(1);
  });

  it("is divergence of one seed of several", () => {
    const row = rowOf([exampleRun(zero!.recipe, 1, 30), diverged, exampleRun(zero!.recipe, 3, 30)]);
    expect(row).toMatchObject({ failure: "failed: the loss is not a number at step 40", metrics: {}, agreement: {} });
  });

  it("is retrieval that the paired interval does not put above the random network", () => {
    const failure = "failed: retrieval is not above the random network";
    expect(rowOf([exampleRun(zero!.recipe, 1, 8)]).failure).toBe(failure);
    expect(rowOf([exampleRun(zero!.recipe, 1, 2)]).failure).toBe(failure);
    expect(rowOf([exampleRun(zero!.recipe, 1, 10)]).failure).toBe(failure); // above by one group of 20 only
    expect(rowOf([exampleRun(zero!.recipe, 1, 24)]).failure).toBeUndefined();
  });

  it("is a loss that did not fall once the queue was full", () => {
    const failure = "failed: the loss did not fall once the queue was full";
    expect(rowOf([runWithLoss(() => 4)]).failure).toBe(`${failure} (4.00, then 4.00)`);
    expect(rowOf([runWithLoss((step) => 3 + step / 100)]).failure).toMatch(`${failure} (3.`);
    expect(rowOf([runWithLoss((step) => 5 - step / 100)]).failure).toBeUndefined();
  });

  it("counts no loss of the steps before the queue was full", () => {
    const queueSizes = queueSizeAblation(presetNamed("quick"));
    const long = queueSizes.cells.at(-1)!.recipe; // K = 2,048 of batch 128 is full after 16 steps
    expect(long).toMatchObject({ method: { queueSize: 16 * long.batchSize } });
    // Near zero against random keys, then falling from 5: the early loss must not make it look risen.
    const fell = runWithLoss((step) => (step <= 16 ? 0 : 5 - step / 100), long);
    // High before, then rising: the early loss must not make it look fallen.
    const rose = runWithLoss((step) => (step <= 16 ? 9 : 3 + step / 100), long);
    const last = (run: RunRecord) =>
      ablationResult(
        queueSizes,
        queueSizes.cells.map((_, index) => (index === queueSizes.cells.length - 1 ? [run] : [])),
        exampleBaselines(long.encoder, [8, 8]),
      ).rows.at(-1)!.failure;
    expect(last(fell)).toBeUndefined();
    expect(last(rose)).toBe("failed: the loss did not fall once the queue was full (3.27, then 3.90)");
  });

  it("leaves out a point of the curve whose mean reaches back to before the queue was full", () => {
    const run = runWithLoss((step) => 5 - step / 100);
    // A point for every 5 steps; the queue is full after 2, and the point of steps 1 to 5 is near zero.
    const curve = run.curve
      .filter(({ step }) => step % 5 === 0)
      .map((point) => (point.step === 5 ? { ...point, loss: -99 } : point));
    expect(rowOf([{ ...run, curve }]).failure).toBeUndefined();
  });

  it("is not judged where training ended before the queue was full", () => {
    const run = exampleRun(zero!.recipe, 1, 30);
    const row = rowOf([{ ...run, curve: run.curve.slice(0, 2) }]);
    expect(row.failure).toBe("not judged: training ended before the queue was full");
  });

  it("counts no loss of the memory bank's first epoch, in which it still holds random entries", () => {
    const preset = presetNamed("quick"); // 10 epochs: 10 of the run's 100 steps fill the bank
    const recipe = methodRecipe(preset, { kind: "memory-bank", negatives: 64, momentum: 0.5, temperature: 0.1 });
    const cells = [{ ...zero!, recipe }, reference!];
    const failure = (loss: (step: number) => number) =>
      ablationResult(
        { ...ablation, cells },
        [[runWithLoss(loss, recipe)], []],
        exampleBaselines(recipe.encoder, [8, 8]),
      ).rows[0]!.failure;
    expect(failure((step) => (step <= 10 ? 0 : 5 - step / 100))).toBeUndefined();
    expect(failure((step) => (step <= 10 ? 9 : 3 + step / 100))).toBe(
      "failed: the loss did not fall once the bank was full (3.21, then 3.90)",
    );
  });

  it("is none for a network that is not trained, and it has no loss", () => {
    const recipe = methodRecipe(presetNamed("smoke"), { kind: "random" });
    const cells = [{ ...zero!, recipe }, reference!];
    const runs = [[{ ...exampleRun(recipe, 1, 8), queueOverlap: undefined }], [exampleRun(reference!.recipe, 1, 30)]];
    const [row] = ablationResult({ ...ablation, cells }, runs, baselines).rows;
    expect(row!.failure).toBeUndefined();
    expect(row!.finalLoss).toBeUndefined();
    expect(row!.metrics.knn!.mean).toBeCloseTo(0.2, 12);
  });

  it("is not judged while there is no random network to compare with", () => {
    const row = rowOf([exampleRun(zero!.recipe, 1, 30)], { randomNetworks: [], pixels: undefined });
    expect(row.failure).toBe("not judged yet: the random networks are not evaluated");
  });

  it("is judged by random networks of its own encoder, not by those of another", () => {
    const wider = exampleBaselines({ ...encoder, width: 32 }, [2, 2], 10);
    const run = exampleRun(zero!.recipe, 1, 8);
    expect(rowOf([run], wider).failure).toBe("not judged yet: the random networks are not evaluated");
    const both = { ...baselines, randomNetworks: [...wider.randomNetworks, ...baselines.randomNetworks] };
    expect(rowOf([run], both).failure).toBe("failed: retrieval is not above the random network");
    expect(ablationResult(ablation, [[], []], both).baselines.randomNetworks.map(({ label }) => label)).toEqual([
      "random resnet18 of width 32, 2 draws",
      "random resnet18 of width 8, 2 draws",
    ]);
  });

  it("is judged by divergence and loss alone where the data have no twins", () => {
    const run = exampleRun(zero!.recipe, 1, 2);
    const row = rowOf([{ ...run, evaluation: { ...run.evaluation!, retrieval: undefined } }]);
    expect(row.failure).toBeUndefined();
    expect(Object.keys(row.metrics)).toEqual(["linear", "logistic", "knn"]);
    expect(Object.keys(row.agreement)).toEqual(["linear", "logistic", "knn"]);
  });
});

describe("numbers of a row", () => {
  const runs = (...right: number[]) => right.map((count, index) => exampleRun(zero!.recipe, index + 1, count));

  it("have intervals of test sampling for one and two seeds", () => {
    for (const row of [rowOf(runs(24)), rowOf(runs(22, 26))]) {
      for (const { mean, low, high, kind } of Object.values(row.metrics)) {
        expect(kind).toBe("test sampling");
        expect(mean).toBeCloseTo(0.6, 12);
        expect(low).toBeLessThan(mean);
        expect(high).toBeGreaterThan(mean);
      }
    }
  });

  it("have Student's interval over seeds from three on", () => {
    const { mean, low, high, kind } = rowOf(runs(22, 24, 26)).metrics.knn!;
    expect(kind).toBe("seeds");
    expect(mean).toBeCloseTo(0.6, 12);
    expect(high - low).toBeCloseTo((2 * 4.302653 * 0.05) / Math.sqrt(3), 6);
  });

  it("average the loss of the last fifth over steps and seeds", () => {
    const row = rowOf([runWithLoss((step) => (step <= 80 ? 9 : 2)), runWithLoss((step) => (step <= 80 ? 9 : 3))]);
    expect(row.finalLoss).toBeCloseTo(2.5, 12);
  });

  it("have a last loss also for a training of a single step, and none for one that did none", () => {
    const run = runWithLoss(() => 4);
    expect(rowOf([{ ...run, curve: run.curve.slice(0, 1) }]).finalLoss).toBe(4);
    expect(rowOf([{ ...diverged, curve: [] }]).finalLoss).toBeUndefined();
  });

  it("say how large the queue is beside the training set", () => {
    expect(rowOf(runs(24)).queueShare).toBeCloseTo(128 / 2298, 12);
  });

  it("are absent for a cell without runs", () => {
    expect(rowOf([])).toEqual({
      label: "m = 0",
      published: { value: "fail", source: "section 4.1" },
      publishedAt: "K = 4,096",
      claimed: undefined,
      seeds: 0,
      metrics: {},
      agreement: {},
      finalLoss: undefined,
      queueOverlap: undefined,
      queueShare: undefined,
      failure: "not run yet",
      runs: [],
    });
  });
});

describe("ablationResult", () => {
  it("counts a published failure as worse than any number", () => {
    const verdict = (right: number) => rowOf([exampleRun(zero!.recipe, 1, right)]).agreement.linear!.verdict;
    expect(verdict(12)).toBe("same direction; one seed: no verdict");
    expect(verdict(40)).toBe("opposite; one seed: no verdict");
  });

  it("compares no reference with itself", () => {
    const run = (cell: typeof zero) => [exampleRun(cell!.recipe, 1, 20)];
    expect(ablationResult(ablation, [run(zero), run(reference)], baselines).rows[1]!.agreement).toEqual({});
  });

  it("keeps the rows that stand as published only, each with its reason", () => {
    const { publishedOnly } = ablationResult(ablation, [[], []], baselines);
    expect(publishedOnly.map(({ label, published }) => [label, published.value])).toEqual([
      ["m = 0.9", 55.2],
      ["m = 0.999", 59.0],
      ["m = 0.9999", 58.9],
    ]);
    expect(publishedOnly.map(({ reason }) => reason)).toEqual([
      "its key encoder averages over 10 steps: not run by this preset",
      "its key encoder averages over 1,000 steps: not run by this preset",
      "its key encoder averages over 10,000 steps: not run by this preset",
    ]);
  });

  it("measures the random networks and the pixels as it does the cells", () => {
    const { randomNetworks, pixels } = ablationResult(ablation, [[], []], baselines).baselines;
    expect(randomNetworks.map(({ label }) => label)).toEqual(["random network, 2 draws"]);
    expect(randomNetworks[0]!.metrics.retrieval!.mean).toBeCloseTo(0.2, 12);
    expect(pixels.metrics.retrieval!.mean).toBeCloseTo(0.25, 12);
    expect(Object.keys(pixels.metrics)).toEqual(["linear", "logistic", "knn", "retrieval"]);
  });
});
