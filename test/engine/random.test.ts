import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/engine/random";

const draws = (stream: { uniform(): number }, count = 5) => Array.from({ length: count }, () => stream.uniform());

describe("randomStream", () => {
  it("gives the same numbers for the same seed and path, and others for others", () => {
    const first = draws(randomStream(1, "augment", 3));
    expect(draws(randomStream(1, "augment", 3))).toEqual(first);
    const others = [
      randomStream(2, "augment", 3),
      randomStream(1, "augment", 4),
      randomStream(1, "augment", "3"),
      randomStream(1, "augment"),
      randomStream(1, "shuffle", 3),
      randomStream(1),
    ].map((stream) => draws(stream));
    expect(new Set([first, ...others].flat()).size).toBe(5 * 7);
  });

  it("draws from xoroshiro128+, seeded by SHA-256, on every machine", () => {
    // The published algorithm (Blackman and Vigna; 24, 16, 37) in 64-bit integers; the low half of each sum is used.
    const digest = createHash("sha256").update('[7,"shuffle",2]').digest();
    const mask = (1n << 64n) - 1n;
    const rotate = (x: bigint, by: bigint) => ((x << by) | (x >> (64n - by))) & mask;
    const word = (offset: number) => BigInt(digest.readUInt32LE(offset));
    let s0 = (word(0) << 32n) | word(4);
    let s1 = (word(8) << 32n) | word(12);
    const next = () => {
      const low = Number((s0 + s1) & 0xffffffffn);
      s1 ^= s0;
      s0 = (rotate(s0, 24n) ^ s1 ^ (s1 << 16n)) & mask;
      s1 = rotate(s1, 37n);
      return low;
    };
    const expected = Array.from({ length: 100 }, () => {
      const top = next() >>> 5;
      return (top * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
    });
    expect(draws(randomStream(7, "shuffle", 2), 100)).toEqual(expected);
  });
});

describe("uniform", () => {
  it("fills its range evenly", () => {
    const random = randomStream(1, "test");
    const bins = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 10_000; draw++) bins[Math.floor(random.uniform(20, 30)) - 20]!++;
    // Chi-square with 9 degrees of freedom: beyond 27.9 once in a thousand.
    expect(bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(27.9);
  });
});

describe("integer", () => {
  it("gives each of its values equally often", () => {
    const random = randomStream(2, "test");
    const counts = new Array<number>(6).fill(0);
    for (let draw = 0; draw < 6000; draw++) counts[random.integer(6)]!++;
    // Chi-square with 5 degrees of freedom: beyond 20.5 once in a thousand.
    expect(counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(20.5);
  });
});

describe("normal", () => {
  it("has the moments of the normal distribution, and no memory between neighbors", () => {
    const random = randomStream(3, "test");
    const values = Array.from({ length: 40_000 }, () => random.normal());
    const mean = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / values.length;
    // Four standard errors each: sqrt(1 / n), sqrt(2 / n), sqrt(15 / n), sqrt(96 / n).
    expect(Math.abs(mean(1))).toBeLessThan(4 * Math.sqrt(1 / 40_000));
    expect(Math.abs(mean(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / 40_000));
    expect(Math.abs(mean(3))).toBeLessThan(4 * Math.sqrt(15 / 40_000));
    expect(Math.abs(mean(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / 40_000));
    const products = values.slice(1).reduce((sum, value, index) => sum + value * values[index]!, 0);
    expect(Math.abs(products / values.length)).toBeLessThan(4 * Math.sqrt(1 / 40_000));
  });
});

describe("permutation", () => {
  it("holds each index once", () => {
    const order = randomStream(4, "test").permutation(100);
    expect(order).not.toEqual(Int32Array.from({ length: 100 }, (_, index) => index));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect([...randomStream(4, "test").permutation(0)]).toEqual([]);
    expect([...randomStream(4, "test").permutation(1)]).toEqual([0]);
  });

  it("gives all orders equally often", () => {
    const random = randomStream(5, "test");
    const counts = new Map<string, number>();
    for (let draw = 0; draw < 6000; draw++) {
      const order = random.permutation(3).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // Chi-square with 5 degrees of freedom: beyond 20.5 once in a thousand.
    expect([...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(20.5);
  });
});
