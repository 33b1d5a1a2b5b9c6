import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { tf } from "../../src/engine/tf";
import { evaluateFeatures } from "../../src/evaluate/evaluate-features";
import { evaluationFromJson, evaluationToJson } from "../../src/evaluate/evaluation-json";
import type { Features } from "../../src/evaluate/features";
import { clouds } from "./reference";

/** Images 2i and 2i + 1 are twins and one group. */
function paired(features: Features): Features {
  const twins = features.labels.map((_, image) => image ^ 1);
  return { ...features, twins, groups: twins.map((_, image) => image >> 1) };
}

const [train, validation, test] = [clouds(1, 120), clouds(2, 30), paired(clouds(3, 60))];
const evens = test.labels.map((_, at) => 2 * at).subarray(0, 30);
const options = {
  classCount: 3,
  k: 5,
  temperature: 0.1,
  seed: 0,
  retrieval: { queries: evens, gallery: evens.map((image) => image + 1) },
};

describe("evaluateFeatures", () => {
  it("gives each metric with its settings, image by image", () => {
    const evaluation = evaluateFeatures(train, validation, test, options);
    expect(evaluation.knn).toMatchObject({ k: 5, temperature: 0.1 });
    for (const { accuracy, correct, groups } of [evaluation.knn, evaluation.linear, evaluation.logistic]) {
      expect(correct).toHaveLength(60);
      expect(groups).toEqual(test.groups);
      expect(accuracy).toBeGreaterThan(0.6);
    }
    expect(evaluation.retrieval!.correct).toHaveLength(30);
  });

  it("leaves retrieval out where there are no twins", () => {
    const evaluation = evaluateFeatures(train, validation, test, { ...options, retrieval: undefined });
    expect(evaluation.retrieval).toBeUndefined();
    expect(evaluationFromJson(evaluationToJson(evaluation), "a.json")).toEqual(evaluation);
  });

  it("gives the same bits each time and leaves no tensor behind", () => {
    const first = evaluateFeatures(train, validation, test, options);
    const before = tf.memory().numTensors;
    expect(evaluateFeatures(train, validation, test, options)).toEqual(first);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("evaluation JSON", () => {
  const evaluation = evaluateFeatures(train, validation, test, options);
  const text = JSON.stringify(evaluationToJson(evaluation));

  it("comes back as it was", () => {
    expect(evaluationFromJson(JSON.parse(text), "a.json")).toEqual(evaluation);
  });

  it("keeps groups once and correctness as digits", () => {
    const json = evaluationToJson(evaluation);
    expect(json.knn.correct).toMatch(/^[01]{60}$/);
    expect(json.knn).not.toHaveProperty("groups");
  });

  it("says which field does not fit", () => {
    const read = (change: (json: ReturnType<typeof evaluationToJson>) => unknown) => () =>
      evaluationFromJson(change(JSON.parse(text) as ReturnType<typeof evaluationToJson>), "a.json");
    expect(read(() => [])).toThrow(InputError);
    expect(read((json) => ({ ...json, knn: { ...json.knn, k: "5" } }))).toThrow(
      "Cannot read the evaluation of a.json: knn.k: ",
    );
    expect(read((json) => ({ ...json, extra: 1 }))).toThrow("extra");
    expect(read((json) => ({ ...json, knn: { ...json.knn, correct: "01" } }))).toThrow(
      "knn: correct must have a digit for each of 60 images, current length is 2",
    );
    expect(read((json) => ({ ...json, linear: { ...json.linear, accuracy: 0.123 } }))).toThrow(
      "linear: accuracy must be the share of ones in correct",
    );
    expect(read((json) => ({ ...json, retrieval: { ...json.retrieval!, queries: [60] } }))).toThrow("must be below 60");
  });
});
