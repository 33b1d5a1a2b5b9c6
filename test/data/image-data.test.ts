import { describe, expect, it } from "vitest";
import { channelStatistics } from "../../src/data/image-data";

describe("channelStatistics", () => {
  it("are those of the population, pixels in 0 to 1", () => {
    const { mean, std } = channelStatistics(Uint8Array.of(0, 255, 51, 255, 0, 153));
    expect(mean).toEqual([0.5, 0.5, 0.4]);
    expect(std[0]).toBe(0.5);
    expect(std[2]).toBeCloseTo(0.2, 12);
  });

  it("have a deviation of 1 for a channel that is the same everywhere: normalizing divides by it", () => {
    const pixels = Uint8Array.from({ length: 30_000 }, (_, index) => (index % 3 === 0 ? (index * 7) % 256 : 77));
    expect(channelStatistics(pixels).std.slice(1)).toEqual([1, 1]);
  });
});
