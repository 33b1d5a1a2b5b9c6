import { describe, expect, it } from "vitest";
import { splitByGroup } from "../../src/data/split-by-group";
import { randomStream } from "../../src/engine/random";

const shares = [0.6, 0.15, 0.25];

describe("splitByGroup", () => {
  it("splits each class by the shares when every image is its own group", () => {
    const labels = Array.from({ length: 400 }, (_, index) => (index % 4 === 0 ? 1 : 0));
    const parts = splitByGroup({ labels, groups: [...labels.keys()] }, shares, randomStream(1));
    const count = (label: number, part: number): number =>
      labels.filter((value, index) => value === label && parts[index] === part).length;
    expect([0, 1, 2].map((part) => count(0, part))).toEqual([180, 45, 75]);
    expect([0, 1, 2].map((part) => count(1, part))).toEqual([60, 15, 25]);
  });

  it("keeps groups whole, also those of two classes", () => {
    const labels = Array.from({ length: 300 }, (_, index) => index % 2);
    const groups = labels.map((_, index) => Math.floor(index / 3));
    const parts = splitByGroup({ labels, groups }, shares, randomStream(1));
    for (let index = 0; index < 300; index++) expect(parts[index]).toBe(parts[groups[index]! * 3]);
  });

  it("gives the same split for the same seed and another for another", () => {
    const items = { labels: new Int32Array(100), groups: Int32Array.from({ length: 100 }, (_, index) => index) };
    const split = (seed: number): Int32Array => splitByGroup(items, shares, randomStream(seed));
    expect(split(1)).toEqual(split(1));
    expect(split(1)).not.toEqual(split(2));
  });
});
