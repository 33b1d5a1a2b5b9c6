import { describe, expect, it } from "vitest";
import { tf } from "../../src/engine/tf";
import type { Features } from "../../src/evaluate/features";
import { defaultStrengths, logisticRegression } from "../../src/evaluate/logistic-regression";
import { clouds, featuresOf, reference, shuffled, stored } from "./reference";

describe("logisticRegression", () => {
  const sets = [
    ["more images than dimensions", reference.tall],
    ["fewer images than dimensions", reference.wide],
  ] as const;
  const cases = sets.flatMap(([name, set]) => set.logistic.map((fit) => ({ name, set, ...fit })));

  it.each(cases)("gives scikit-learn's optimum with $name at l2 = $l2", ({ set, l2, objective, correct }) => {
    const [train, test] = [stored(set.train), stored(set.test)];
    const score = logisticRegression(train, test, test, { classCount: 3, strengths: [l2] });
    expect(score.converged).toBe(true);
    expect(Math.abs(score.objective / objective - 1)).toBeLessThan(1e-4);
    expect([...score.correct]).toEqual(correct);
  });

  it("reaches the same optima along a path of strengths as one by one", () => {
    const [train, test] = [stored(reference.tall.train), stored(reference.tall.test)];
    const strengths = reference.tall.logistic.map(({ l2 }) => l2);
    const { strengths: path } = logisticRegression(train, test, test, { classCount: 3, strengths });
    path.forEach((fit, at) => {
      expect(Math.abs(fit.objective / reference.tall.logistic[at]!.objective - 1)).toBeLessThan(1e-4);
    });
  });

  it("separates what a line separates, and is at chance where labels are shuffled", () => {
    const [train, validation, test] = [clouds(1, 600), clouds(2, 150), clouds(3, 900)];
    const options = { classCount: 3 };
    expect(logisticRegression(train, validation, test, options).accuracy).toBeGreaterThan(0.99);
    const [noise, choice, target] = [shuffled(train, 1), shuffled(validation, 2), shuffled(test, 3)];
    const { accuracy } = logisticRegression(noise, choice, target, options);
    expect(Math.abs(accuracy - 1 / 3)).toBeLessThan(3 * Math.sqrt(2 / 9 / 900));
  });

  it("reads features of any scale and offset alike", () => {
    const [train, validation, test] = [clouds(1, 60), clouds(2, 30), clouds(3, 90)];
    const moved = (features: typeof train) => ({
      ...features,
      values: features.values.map((value, at) => (at % 2 === 0 ? 1024 * value : value / 1024)),
    });
    const plain = logisticRegression(train, validation, test, { classCount: 3, strengths: [0.1] });
    const scaled = logisticRegression(moved(train), moved(validation), moved(test), {
      classCount: 3,
      strengths: [0.1],
    });
    expect([...scaled.correct]).toEqual([...plain.correct]);
    expect(scaled.objective).toBeCloseTo(plain.objective, 6);
  });

  it("chooses L2 by validation, whatever test says", () => {
    // The class is in the difference of two noisy features: strong L2 reads the first only, weak L2 the difference.
    const labels = Array.from({ length: 40 }, (_, image) => image % 2);
    const sides = labels.map((label) => (label === 0 ? -1 : 1));
    const noise = labels.map((_, image) => (image % 4 < 2 ? -1 : 1));
    const alike = featuresOf(
      sides.flatMap((side, image) => [0.5 * side + noise[image]!, noise[image]!]),
      labels,
    );
    const opposed = featuresOf(
      sides.flatMap((side) => [side, 3 * side]),
      labels,
    );
    const choose = (validation: Features, test: Features) =>
      logisticRegression(alike, validation, test, { classCount: 2, strengths: [1000, 1e-4] });
    expect(choose(alike, opposed)).toMatchObject({ l2: 1e-4, validationAccuracy: 1, accuracy: 0, atEdge: true });
    expect(choose(opposed, alike)).toMatchObject({ l2: 1000, validationAccuracy: 1, accuracy: 0.5, atEdge: true });
  });

  it("stops trying weaker L2 once two in a row were worse than the best", () => {
    const [train, validation] = [stored(reference.wide.train), stored(reference.wide.test)];
    const { strengths, l2 } = logisticRegression(train, validation, validation, { classCount: 3 });
    const accuracies = strengths.map((fit) => fit.validationAccuracy);
    const best = accuracies.indexOf(Math.max(...accuracies));
    expect(strengths[best]!.l2).toBe(l2);
    expect(strengths.length).toBeLessThan(defaultStrengths.length);
    expect(Math.max(...accuracies.slice(-2))).toBeLessThan(accuracies[best]!);
  });

  it("gives the same bits each time", () => {
    const [train, test] = [stored(reference.tall.train), stored(reference.tall.test)];
    const run = () => logisticRegression(train, test, test, { classCount: 3 });
    expect(run()).toEqual(run());
  });

  it("leaves no tensor behind", () => {
    const before = tf.memory().numTensors;
    logisticRegression(clouds(1, 60), clouds(2, 30), clouds(3, 30), { classCount: 3 });
    expect(tf.memory().numTensors).toBe(before);
  });

  it("says what is wrong with its input", () => {
    const run = (strengths: number[]) =>
      logisticRegression(clouds(1, 60), clouds(2, 30), clouds(3, 30), { classCount: 3, strengths });
    expect(() => run([])).toThrow("strengths of L2 must be positive numbers in descending order, current value is []");
    expect(() => run([0.1, 1])).toThrow("descending order, current value is [0.1, 1]");
    expect(() => run([0])).toThrow("current value is [0]");
  });
});
