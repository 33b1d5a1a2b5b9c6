import { describe, expect, it } from "vitest";
import { nearCopies, nearCopyShare } from "../../src/data/near-copies";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";

const size = 4;

/** An image of noise; `change` edits its values. */
function image(seed: number, change: (value: number, index: number) => number = (value) => value): number[] {
  const random = randomStream(seed, "image");
  return Array.from({ length: size * size * 3 }, () => random.integer(200)).map(change);
}

function mirrored(values: readonly number[]): number[] {
  return values.map((_, index) => {
    const [pixel, channel] = [Math.floor(index / 3), index % 3];
    const [row, column] = [Math.floor(pixel / size), pixel % size];
    return values[(row * size + size - 1 - column) * 3 + channel]!;
  });
}

function turned(values: readonly number[]): number[] {
  return values.map((_, index) => {
    const [pixel, channel] = [Math.floor(index / 3), index % 3];
    const [row, column] = [Math.floor(pixel / size), pixel % size];
    return values[(column * size + size - 1 - row) * 3 + channel]!;
  });
}

describe("nearCopies", () => {
  it("finds the same image, a brighter one and a slightly changed one, and no other", () => {
    const pixels = Uint8Array.from([
      ...image(1),
      ...image(2),
      ...image(1, (value) => value + 50),
      ...image(1, (value, index) => (index === 0 ? value + 20 : value)),
    ]);
    expect(nearCopies(pixels, size, { threshold: 0.98, turned: false })).toEqual([
      [0, 2],
      [0, 3],
      [2, 3],
    ]);
  });

  it("finds mirrored and turned copies only when asked", () => {
    const pixels = Uint8Array.from([
      ...image(1),
      ...mirrored(image(1)),
      ...image(2),
      ...turned(turned(turned(image(2)))),
    ]);
    expect(nearCopies(pixels, size, { threshold: 0.98, turned: false })).toEqual([]);
    expect(nearCopies(pixels, size, { threshold: 0.98, turned: true })).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it("takes an image of one color as a copy of nothing", () => {
    const pixels = new Uint8Array(2 * size * size * 3).fill(255);
    expect(nearCopies(pixels, size, { threshold: 0.98, turned: true })).toEqual([]);
  });

  it("leaves no tensors behind", () => {
    const pixels = Uint8Array.from([...image(1), ...image(2)]);
    const before = tf.memory().numTensors;
    nearCopies(pixels, size, { threshold: 0.98, turned: true });
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("nearCopyShare", () => {
  it("is the share of images with a near copy among the others", () => {
    const images = Uint8Array.from([...image(1), ...image(2), ...image(3), ...image(4)]);
    const others = Uint8Array.from([...image(5), ...image(3, (value) => value + 50)]);
    expect(nearCopyShare(images, others, 0.9, size)).toBe(0.25);
  });
});
