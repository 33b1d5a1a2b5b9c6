import { describe, expect, it } from "vitest";
import { tf } from "../../src/engine/tf";
import { linearProbe } from "../../src/evaluate/linear-probe";
import { clouds, featuresOf, reference, shuffled, stored } from "./reference";

describe("linearProbe", () => {
  const options = { classCount: 3, seed: 0 };

  it.each(reference.tall.probe)(
    "trains as torch.optim.SGD does at rate $rate, where the first weights do not decide",
    ({ rate, correct, clear }) => {
      const [train, test] = [stored(reference.tall.train), stored(reference.tall.test)];
      const score = linearProbe(train, test, test, { ...options, rates: [rate] });
      const clearly = (values: ArrayLike<number>) => Array.from(values).filter((_, image) => clear[image] === 1);
      expect(clearly(score.correct)).toEqual(clearly(correct));
    },
  );

  it("trains each of several rates as if it were alone", () => {
    const [train, test] = [stored(reference.tall.train), stored(reference.tall.test)];
    const together = linearProbe(train, test, test, { ...options, rates: [0.01, 0.1, 1] });
    const alone = [0.01, 0.1, 1].map((rate) => linearProbe(train, test, test, { ...options, rates: [rate] }));
    expect(together.rates).toEqual(alone.flatMap(({ rates }) => rates));
  });

  it("separates what a line separates", () => {
    const score = linearProbe(clouds(1, 600), clouds(2, 150), clouds(3, 300), options);
    expect(score.accuracy).toBeGreaterThan(0.99);
    expect(score.trainAccuracy).toBeGreaterThan(0.99);
  });

  it("is at chance where labels are shuffled", () => {
    const [train, validation, test] = [shuffled(clouds(1, 600), 1), shuffled(clouds(2, 150), 2), clouds(3, 900)];
    const { accuracy } = linearProbe(train, validation, shuffled(test, 3), options);
    // Three standard errors of a share of 1 / 3 among 900.
    expect(Math.abs(accuracy - 1 / 3)).toBeLessThan(3 * Math.sqrt(2 / 9 / 900));
  });

  it("chooses its rate by validation, whatever test says", () => {
    // Along the strong axis the classes overlap, along the weak axis they are apart: a low rate learns the strong one only.
    const part = (weakSign: number) => {
      const labels = Array.from({ length: 40 }, (_, image) => image % 2);
      const values = labels.flatMap((label, image) => {
        const side = label === 0 ? -1 : 1;
        return [image % 10 < 8 ? side : -side, 0.02 * side * weakSign];
      });
      return featuresOf(values, labels);
    };
    const choose = (validation: number, test: number) =>
      linearProbe(part(1), part(validation), part(test), { classCount: 2, seed: 0, rates: [0.01, 1000] });
    expect(choose(1, -1)).toMatchObject({ rate: 1000, validationAccuracy: 1, accuracy: 0, atEdge: true });
    expect(choose(-1, 1)).toMatchObject({ rate: 0.01, validationAccuracy: 0.8, accuracy: 0.8, atEdge: true });
  });

  it("flags a chosen rate at an end of the grid, and the lower of equal rates wins", () => {
    const run = (rates: number[]) => linearProbe(clouds(1, 60), clouds(2, 30), clouds(3, 30), { ...options, rates });
    expect(run([1e-9, 1, 2])).toMatchObject({ rate: 1, atEdge: false });
    expect(run([1, 2])).toMatchObject({ rate: 1, atEdge: true });
    expect(run([1])).toMatchObject({ rate: 1, atEdge: false });
  });

  it("gives the same bits for the same seed, and depends on it", () => {
    const [train, test] = [shuffled(clouds(1, 600), 1), shuffled(clouds(2, 300), 2)];
    const run = (seed: number) => linearProbe(train, test, test, { classCount: 3, seed, rates: [30] });
    expect(run(5)).toEqual(run(5));
    expect([...run(5).correct]).not.toEqual([...run(6).correct]);
  });

  it("counts a probe that diverged as wrong, not as class 0", () => {
    const huge = featuresOf([3e38, -3e38, 3e38, 3e38], [0, 0]);
    const { accuracy } = linearProbe(huge, huge, huge, { classCount: 2, seed: 0, rates: [30] });
    expect(accuracy).toBe(0);
  });

  it("leaves no tensor behind", () => {
    const before = tf.memory().numTensors;
    linearProbe(clouds(1, 60), clouds(2, 30), clouds(3, 30), options);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("says what is wrong with its input", () => {
    const run = (rates: number[]) => linearProbe(clouds(1, 60), clouds(2, 30), clouds(3, 30), { ...options, rates });
    expect(() => run([])).toThrow("rates must be positive numbers in ascending order, current value is []");
    expect(() => run([1, 0.1])).toThrow("ascending order, current value is [1, 0.1]");
    expect(() => run([0])).toThrow("current value is [0]");
  });
});
