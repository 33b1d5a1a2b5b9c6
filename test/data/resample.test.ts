import { describe, expect, it } from "vitest";
import { cropMaps, resample, type SideMaps } from "../../src/data/resample";
import { tf } from "../../src/engine/tf";

/** Sums of the rows of all maps. */
function rowSums({ values, inputs }: SideMaps): number[] {
  return Array.from({ length: values.length / inputs }, (_, row) =>
    values.subarray(row * inputs, (row + 1) * inputs).reduce((sum, value) => sum + value, 0),
  );
}

const only = (value: number) => Int32Array.of(value);

describe("cropMaps", () => {
  it("repeats the border pixel when it enlarges, and mixes neighbors by their distance", () => {
    const { values } = cropMaps(only(0), only(2), undefined, 2, 4);
    expect([...values]).toEqual([1, 0, 0.75, 0.25, 0.25, 0.75, 0, 1]);
  });

  it("averages over all pixels that it leaves out when it reduces", () => {
    // A triangle of half-width 2 around the middle of each half.
    const { values } = cropMaps(only(0), only(4), undefined, 4, 2);
    const expected = [3 / 7, 3 / 7, 1 / 7, 0, 0, 1 / 7, 3 / 7, 3 / 7];
    values.forEach((value, at) => expect(value).toBeCloseTo(expected[at]!, 6));
  });

  it("sees no pixel outside of the crop", () => {
    const { values } = cropMaps(only(1), only(2), undefined, 4, 3);
    for (let output = 0; output < 3; output++) {
      expect(values[4 * output]).toBe(0);
      expect(values[4 * output + 3]).toBe(0);
    }
  });

  it.each([
    [1, 32],
    [7, 32],
    [48, 5],
  ])("keeps a flat image flat from %i to %i pixels", (length, outputs) => {
    for (const sum of rowSums(cropMaps(only(0), only(length), undefined, 48, outputs))) expect(sum).toBeCloseTo(1, 6);
  });
});

describe("resample", () => {
  it("maps height by the rows and width by the columns", () => {
    const image = tf.tensor4d([1, 2, 3, 4, 5, 6], [1, 1, 2, 3]);
    const rows = { values: Float32Array.of(1, 1), inputs: 2, outputs: 1 };
    const columns = { values: Float32Array.of(1, 0, 0, 0, 0, 10), inputs: 3, outputs: 2 };
    const mapped = resample(image, rows, columns);
    expect(mapped.shape).toEqual([1, 1, 1, 2]);
    expect([...mapped.dataSync()]).toEqual([1 + 4, 30 + 60]);
  });
});
