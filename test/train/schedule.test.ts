import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { parseRecipe } from "../../src/train/recipe";
import { recipeHash } from "../../src/train/recipe-hash";
import { learningRateAt, type Schedule } from "../../src/train/schedule";
import { relativeError } from "../engine/double-precision";
import fixture from "./fixtures/pytorch.json";
import { tinyRecipe } from "./tiny";

const rates = (schedule: Schedule, epochs = 200) =>
  Array.from({ length: epochs }, (_, epoch) => learningRateAt(schedule, { baseRate: 0.03, epoch, epochs }));

const v1: Schedule = { kind: "step", milestones: [120, 160], factor: 0.1 };
const v2: Schedule = { kind: "cosine" };

describe("the learning rate at each of 200 epochs", () => {
  it("falls tenfold at epochs 120 and 160 for MoCo v1, as PyTorch's MultiStepLR", () => {
    const all = rates(v1);
    expect(relativeError(all, fixture.schedules.step)).toBeLessThan(1e-12);
    expect([all[0], all[119]]).toEqual([0.03, 0.03]);
    expect(relativeError([all[120]!, all[159]!, all[160]!, all[199]!], [0.003, 0.003, 0.0003, 0.0003])).toBeLessThan(
      1e-12,
    );
  });

  it("follows half a cosine for MoCo v2, as PyTorch's CosineAnnealingLR", () => {
    const all = rates(v2);
    expect(relativeError(all, fixture.schedules.cosine)).toBeLessThan(1e-12);
    expect(all[0]).toBe(0.03);
    expect(all[100]).toBeCloseTo(0.015, 12);
  });

  it("stays the same through an epoch", () => {
    for (const schedule of [v1, v2]) {
      const [start, end] = [120, 120 + 5003 / 5004].map((epoch) =>
        learningRateAt(schedule, { baseRate: 0.03, epoch, epochs: 200 }),
      );
      expect(end).toBe(start);
    }
  });

  it("is that of the first epochs of a longer training where the cosine is told so", () => {
    expect(rates({ kind: "cosine", over: 200 }, 5)).toEqual(rates(v2).slice(0, 5));
    expect(rates({ kind: "cosine", over: 200 })).toEqual(rates(v2));
  });
});

describe("the learning rate at each step of SimCLR", () => {
  const { baseRate, epochs, warmup, stepsPerEpoch, rates: expected } = fixture.schedules.simclr;
  const schedule: Schedule = { kind: "warmup-cosine", warmup };
  const at = (epoch: number) => learningRateAt(schedule, { baseRate, epoch, epochs });

  it("rises in a line over 10 epochs, then follows half a cosine, as PyTorch's schedulers in sequence", () => {
    const ours = Array.from({ length: epochs * stepsPerEpoch }, (_, step) => at(step / stepsPerEpoch));
    expect(relativeError(ours, expected)).toBeLessThan(1e-12);
  });

  it("is 0 at the first step, half after half the warm-up, whole after it, and goes to 0 at the end", () => {
    expect([at(0), at(5), at(10)]).toEqual([0, baseRate / 2, baseRate]);
    expect(at(55)).toBeCloseTo(baseRate / 2, 12);
    expect(at(100)).toBeCloseTo(0, 12);
  });
});

describe("a recipe's schedule", () => {
  const recipe = tinyRecipe({ epochs: 10 });
  const withSchedule = (schedule: unknown) => parseRecipe({ ...recipe, schedule });

  it.each([
    { kind: "cosine" },
    { kind: "cosine", over: 10 },
    { kind: "cosine", over: 200 },
    { kind: "warmup-cosine", warmup: 0.5 },
    { kind: "warmup-cosine", warmup: 9 },
  ])("can be %o, and its hash says which", (schedule) => {
    const parsed = withSchedule(schedule);
    expect(parsed.schedule).toEqual(schedule);
    expect(recipeHash(parsed) === recipeHash(tinyRecipe({ epochs: 10 }))).toBe(Object.keys(schedule).length === 1);
  });

  it.each([
    [{ kind: "cosine", over: 9 }, "schedule.over must be at least the 10 epochs of the training, current value is 9"],
    [{ kind: "cosine", over: 12.5 }, "schedule.over: "],
    [{ kind: "warmup-cosine", warmup: 10 }, "schedule.warmup must be below the 10 epochs of the training"],
    [{ kind: "warmup-cosine", warmup: 0 }, "schedule.warmup: "],
    [{ kind: "warmup-cosine" }, "schedule.warmup: Required"],
  ])("is refused as %o", (schedule, message) => {
    expect(() => withSchedule(schedule)).toThrow(InputError);
    expect(() => withSchedule(schedule)).toThrow(message);
  });
});
