import { describe, expect, it } from "vitest";
import { agreement, meanBySeed, type SeededScores } from "../../src/statistics/agreement";

const images = 40;
const groups = Int32Array.from({ length: images }, (_, image) => image >> 1);

/** Scores of a cell: for each seed, how many of the 40 images are right, the first ones. */
function scores(...right: readonly number[]): SeededScores {
  const correct = right.map((count) => Uint8Array.from(groups, (_, image) => (image < count ? 1 : 0)));
  return { correct, groups };
}

describe("agreement of one seed", () => {
  it("is of the same direction where both differences have one sign", () => {
    const compared = agreement(scores(30), scores(10), 3.8);
    expect(compared.verdict).toBe("same direction; one seed: no verdict");
    expect(compared.kind).toBe("test sampling");
    expect(compared.difference).toBeCloseTo(0.5, 12);
    expect(compared.low).toBeGreaterThan(0);
    expect(compared.high).toBeGreaterThan(0.5);
    expect(agreement(scores(10), scores(30), -3.8).verdict).toBe("same direction; one seed: no verdict");
  });

  it("is opposite where the signs differ", () => {
    expect(agreement(scores(30), scores(10), -3.8).verdict).toBe("opposite; one seed: no verdict");
    expect(agreement(scores(10), scores(30), 3.8).verdict).toBe("opposite; one seed: no verdict");
  });

  it("is within noise where the interval over groups of images holds zero", () => {
    const { low, high, verdict } = agreement(scores(20), scores(18), 3.8); // one group of 20 decides
    expect(low).toBe(0);
    expect(high).toBeGreaterThan(0);
    expect(verdict).toBe("within noise; one seed: no verdict");
  });

  it("is within noise for identical scores", () => {
    const compared = agreement(scores(20), scores(20), 3.8);
    expect(compared).toEqual({
      difference: 0,
      low: 0,
      high: 0,
      kind: "test sampling",
      verdict: "within noise; one seed: no verdict",
    });
  });
});

describe("agreement of two seeds", () => {
  it("pairs the seeds' means image by image, and gives no verdict either", () => {
    const compared = agreement(scores(30, 34), scores(10, 14), 3.8);
    expect(compared.kind).toBe("test sampling");
    expect(compared.difference).toBeCloseTo(0.5, 12);
    expect(compared.verdict).toBe("same direction; two seeds: no verdict");
    expect(agreement(scores(30, 34), scores(10, 14), -1).verdict).toBe("opposite; two seeds: no verdict");
  });

  it("compares the seeds that both cells have", () => {
    const compared = agreement(scores(30, 30, 30), scores(10, 10), 3.8);
    expect(compared.verdict).toBe("same direction; two seeds: no verdict");
  });
});

describe("agreement of three seeds", () => {
  it("agrees or disagrees where Student's interval over seeds leaves out zero", () => {
    // Differences 0.45, 0.5, 0.55: 0.5 +- 4.303 * 0.05 / sqrt(3).
    const compared = agreement(scores(28, 30, 32), scores(10, 10, 10), 3.8);
    expect(compared).toMatchObject({ kind: "seeds", verdict: "agrees" });
    expect(compared.difference).toBeCloseTo(0.5, 12);
    expect(compared.low).toBeCloseTo(0.5 - (4.302653 * 0.05) / Math.sqrt(3), 6);
    expect(compared.high).toBeCloseTo(0.5 + (4.302653 * 0.05) / Math.sqrt(3), 6);
    expect(agreement(scores(28, 30, 32), scores(10, 10, 10), -3.8).verdict).toBe("disagrees");
  });

  it("is not separated where seeds differ more than cells", () => {
    const compared = agreement(scores(10, 20, 36), scores(10, 10, 10), 3.8);
    expect(compared.low).toBeLessThan(0);
    expect(compared.verdict).toBe("not separated");
    expect(agreement(scores(20, 20, 20), scores(20, 20, 20), 3.8).verdict).toBe("not separated");
  });

  it("pairs by seed, so that what a seed does to both cells cancels", () => {
    expect(agreement(scores(12, 22, 39), scores(8, 18, 34), 3.8).verdict).toBe("agrees");
  });
});

describe("agreement with the paper", () => {
  it("says where the paper has no such row, and still gives our difference", () => {
    const compared = agreement(scores(30), scores(10), undefined);
    expect(compared.verdict).toBe("the paper has no such row");
    expect(compared.difference).toBeCloseTo(0.5, 12);
    expect(agreement(scores(30, 30, 30), scores(10, 10, 10), undefined).verdict).toBe("the paper has no such row");
  });

  it("takes only the sign of the published difference, infinite where one training failed", () => {
    expect(agreement(scores(10), scores(30), -Infinity).verdict).toBe("same direction; one seed: no verdict");
    expect(agreement(scores(30), scores(10), -Infinity).verdict).toBe("opposite; one seed: no verdict");
  });
});

describe("meanBySeed", () => {
  it("averages each image over the seeds", () => {
    expect([...meanBySeed([Uint8Array.of(1, 0, 1, 0), Uint8Array.of(1, 1, 0, 0)])]).toEqual([1, 0.5, 0.5, 0]);
  });
});
