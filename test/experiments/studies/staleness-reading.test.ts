import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { batchIndices } from "../../../src/data/batches";
import { tf } from "../../../src/engine/tf";
import type { Method } from "../../../src/methods/method";
import {
  chanceThatAllAreMasked,
  readDrift,
  readMaskedAccuracy,
  type DictionaryRecipe,
  type Drift,
  type Moment,
} from "../../../src/experiments/studies/staleness-reading";
import { pretrain } from "../../../src/train/pretrain";
import { tinyData, tinyMoco, tinyRecipe } from "../../train/tiny";

const data = tinyData();
const seed = 3;
let directory: string;

beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "moco-staleness-"))));
afterEach(() => rmSync(directory, { recursive: true }));

/** Trains, reads after each step, and gives the readings and the pretext accuracy of each step. */
async function train<T>(recipe: DictionaryRecipe, read: (moment: Moment) => T) {
  const readings: T[] = [];
  const accuracies: number[] = [];
  const counts = new Set<number>();
  const observe = (method: Method, step: number) => {
    // What a reading reads out of the session is let go at the next step.
    counts.add(tf.memory().numTensors);
    readings.push(read({ recipe, data, seed, method, step }));
  };
  for await (const { accuracy } of pretrain(recipe, data, { seed, directory, observe })) accuracies.push(accuracy);
  expect(counts.size).toBe(1);
  return { readings, accuracies };
}

function queueRecipe(changes: Parameters<typeof tinyMoco>[0] = {}): DictionaryRecipe {
  return tinyRecipe({ method: tinyMoco({ temperature: 1, ...changes }), epochs: 3 }) as DictionaryRecipe;
}

function bankRecipe(momentum: number): DictionaryRecipe {
  const method = { kind: "memory-bank", negatives: 10, momentum, temperature: 0.2 } as const;
  return tinyRecipe({ method, epochs: 4 }) as DictionaryRecipe;
}

const at = (drifts: readonly Drift[], age: number) => drifts.find((one) => one.age === age)?.drift;

describe("drift of the queue", () => {
  it("is nothing for the keys of the step itself, with the shuffle and without", async () => {
    for (const shuffleBN of [true, false]) {
      rmSync(directory, { recursive: true });
      const { readings } = await train(queueRecipe({ shuffleBN }), (moment) => at(readDrift(moment, [0, 1]), 0)!);
      expect(readings).toHaveLength(9);
      for (const drift of readings) expect(Math.abs(drift)).toBeLessThan(1e-6);
    }
  });

  it("grows with the age of the keys, and shrinks with m", async () => {
    // One group: with batch statistics of four images, a tiny network turns small changes into large ones.
    const totals: [young: number, old: number][] = [];
    for (const momentum of [0, 0.99]) {
      rmSync(directory, { recursive: true });
      const recipe = { ...queueRecipe({ momentum }), bnGroups: 1 };
      const { readings } = await train(recipe, (moment) => readDrift(moment, [1, 2]));
      const both = readings.filter(({ length }) => length === 2);
      const total = (age: number) => both.reduce((sum, drifts) => sum + at(drifts, age)!, 0);
      totals.push([total(1), total(2)]);
    }
    const [copied, slow] = totals as [[number, number], [number, number]];
    for (const [young, old] of totals) expect(old).toBeGreaterThan(young);
    expect(slow[0]).toBeGreaterThan(0);
    expect(slow[0]).toBeLessThan(copied[0] / 5);
    expect(slow[1]).toBeLessThan(copied[1] / 5);
  });

  it("is read of keys that were stored, and that the queue still holds", async () => {
    const { readings } = await train(queueRecipe(), (moment) => readDrift(moment, [0, 1, 2, 3]));
    const ages = readings.map((drifts) => drifts.map(({ age }) => age));
    expect(ages.slice(0, 4)).toEqual([[0], [0, 1], [0, 1, 2], [0, 1, 2]]);
    for (const { keys } of readings.flat()) expect(keys).toBe(8);
  });
});

describe("drift of the memory bank", () => {
  it("counts the images that were not seen again since", async () => {
    const { readings } = await train(bankRecipe(0.5), (moment) => readDrift(moment, [1, 4, 6]));
    readings.forEach((drifts, index) => {
      const step = index + 1;
      for (const age of [1, 4, 6]) {
        const later = Array.from({ length: age - 1 }, (_, back) => [
          ...batchIndices(data.train, 8, seed, step - 1 - back),
        ]);
        const kept =
          age > step
            ? []
            : [...batchIndices(data.train, 8, seed, step - age)].filter((image) => !later.flat().includes(image));
        expect(drifts.find((one) => one.age === age)?.keys ?? 0, `step ${step}, age ${age}`).toBe(kept.length);
      }
    });
  });

  it("is larger where entries keep older representations", async () => {
    const oneStepOld: number[] = [];
    for (const momentum of [0, 0.5]) {
      rmSync(directory, { recursive: true });
      const { readings } = await train(bankRecipe(momentum), (moment) => at(readDrift(moment, [1]), 1)!);
      oneStepOld.push(readings.at(-1)!);
    }
    expect(oneStepOld[0]).toBeGreaterThan(0);
    expect(oneStepOld[1]).toBeGreaterThan(oneStepOld[0]!);
  });
});

describe("pretext accuracy with a part of the queue masked", () => {
  it("is what the next step reports where nothing is masked, and certain where all is", async () => {
    const { readings, accuracies } = await train(queueRecipe(), (moment) => readMaskedAccuracy(moment, [0, 0.5, 1]));
    readings.slice(0, -1).forEach(([none, , all], index) => {
      expect(none!.oldest).toBeCloseTo(accuracies[index + 1]!, 6);
      expect(none!.random).toBeCloseTo(none!.oldest, 12);
      expect([all!.oldest, all!.random]).toEqual([1, 1]);
    });
    // The task is hard enough to tell something: it is neither always nor never solved.
    expect(new Set(accuracies).size).toBeGreaterThan(2);
  });

  it("never falls as more is masked", async () => {
    const { readings } = await train(queueRecipe(), (moment) => readMaskedAccuracy(moment, [0, 0.25, 0.5, 0.75]));
    for (const shares of readings) {
      for (const which of ["oldest", "random"] as const) {
        const accuracies = shares.map((one) => one[which]);
        expect(accuracies).toEqual([...accuracies].sort((a, b) => a - b));
      }
    }
    expect(readings.flat().some(({ share, oldest, random }) => share === 0.5 && oldest !== random)).toBe(true);
  });
});

describe("chanceThatAllAreMasked", () => {
  it("equals a count of all choices", () => {
    // Of 5 keys 3 are masked; the 2 given ones are among them in 3 of the 10 choices.
    expect(chanceThatAllAreMasked(2, 3, 5)).toBeCloseTo(3 / 10, 12);
    expect(chanceThatAllAreMasked(0, 0, 5)).toBe(1);
    expect(chanceThatAllAreMasked(1, 0, 5)).toBe(0);
    expect(chanceThatAllAreMasked(4, 3, 5)).toBe(0);
    expect(chanceThatAllAreMasked(5, 5, 5)).toBe(1);
  });
});
