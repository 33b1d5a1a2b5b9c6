import { afterEach, describe, expect, it, vi } from "vitest";
import { tf } from "../../src/engine/tf";
import { drawBatch } from "../../src/train/draw-batch";
import type { Recipe } from "../../src/train/recipe";
import { disposeTraining, startTraining, trainingDataOf } from "../../src/train/state";
import { TrainingStep } from "../../src/train/take-step";
import { relativeError } from "../engine/double-precision";
import { tinyData, tinyMethods, tinyMoco, tinyRecipe } from "./tiny";

afterEach(() => vi.unstubAllEnvs());

/** So small that rounding does not grow over ten steps, as it does at the rates that one trains at. */
const changingRate = (step: number) => 2e-5 * (1 + (step % 3));

/** Ten steps, each at a rate of its own, and what they leave. */
function tenSteps(recipe: Recipe, form: "recorded" | "op by op", rateOf = changingRate) {
  if (form === "op by op") vi.stubEnv("MOCO_OP_BY_OP", "1");
  const data = tinyData();
  const state = startTraining(recipe, { seed: 3, data: trainingDataOf(data) });
  const step = new TrainingStep(state, recipe.optimizer);
  const start = state.method.encoder.parameters.values.dataSync<"float32">().slice();
  const losses = Array.from({ length: 10 }, (_, index) => {
    const batch = drawBatch(data, recipe, { seed: 3, step: index, views: state.method.views });
    return step.take(batch, rateOf(index), `step ${index + 1}`).loss;
  });
  const weights = state.method.encoder.parameters.values.dataSync<"float32">();
  const moved = Float64Array.from(weights, (value, index) => value - start[index]!);
  const memory = new Map((state.method.buffers ?? []).map(({ name, value }) => [name, value.dataSync().slice()]));
  step.dispose();
  disposeTraining(state);
  vi.unstubAllEnvs();
  return { losses, moved, memory };
}

describe("a training step", () => {
  const methods = tinyMethods().filter(({ method }) => method.kind !== "random");

  it.each(methods.map((recipe) => [JSON.stringify(recipe.method).slice(0, 60), recipe] as const))(
    "is recorded what it is op by op, over ten steps that change rate, permutation, negatives and pointer: %s",
    (_, recipe) => {
      const before = tf.memory().numTensors;
      const [recorded, plain] = [tenSteps(recipe, "recorded"), tenSteps(recipe, "op by op")];
      expect(relativeError(recorded.losses, plain.losses)).toBeLessThan(1e-3);
      expect(relativeError(recorded.moved, plain.moved)).toBeLessThan(1e-2);
      expect(recorded.memory.get("queue_pointer")).toEqual(plain.memory.get("queue_pointer"));
      expect(recorded.memory.get("queue_images")).toEqual(plain.memory.get("queue_images"));
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  it("would be noticed with a rate that stays as it was recorded", () => {
    const recipe = tinyRecipe({ method: tinyMoco() });
    const [changing, frozen] = [tenSteps(recipe, "recorded"), tenSteps(recipe, "recorded", () => changingRate(0))];
    expect(relativeError(changing.moved, frozen.moved)).toBeGreaterThan(0.1);
  });

  it("gives the same bits twice", () => {
    const recipe = tinyRecipe({ method: tinyMoco() });
    const [once, again] = [tenSteps(recipe, "recorded"), tenSteps(recipe, "recorded")];
    expect(again.losses).toEqual(once.losses);
    expect(again.moved).toEqual(once.moved);
  });
});
