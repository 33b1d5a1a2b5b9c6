import type { Random } from "../../engine/random";

/** A value in [0, 1] at each place of an image, whose sides run from 0 to 1. */
type Pattern = (x: number, y: number) => number;

/**
 * Paints a background: two random colors, mixed by a random gradient, stripes or value noise.
 *
 * Only +, -, *, / and rounding are used, which give the same bits on every machine; sines and powers need not.
 *
 * @param size - side in pixels
 * @returns [size, size, 3], red, green, blue
 */
export function paintBackground(size: number, random: Random): Uint8ClampedArray {
  const [from, to] = [drawColor(random), drawColor(random)];
  const pattern = patterns[random.integer(patterns.length)]!(random);
  const pixels = new Uint8ClampedArray(size * size * 3);
  let at = 0;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const share = pattern((column + 0.5) / size, (row + 0.5) / size);
      for (let channel = 0; channel < 3; channel++) {
        pixels[at++] = from[channel]! + share * (to[channel]! - from[channel]!);
      }
    }
  }
  return pixels;
}

const patterns: readonly ((random: Random) => Pattern)[] = [drawGradient, drawStripes, drawValueNoise];

function drawColor(random: Random): readonly [number, number, number] {
  return [random.integer(256), random.integer(256), random.integer(256)];
}

/** From 0 in one corner or edge to 1 in the opposite one. */
function drawGradient(random: Random): Pattern {
  // |across| + |down| = 1 keeps the values of the unit square in [0, 1].
  const across = random.uniform(-1, 1);
  const down = (1 - Math.abs(across)) * (random.uniform() < 0.5 ? -1 : 1);
  return (x, y) => 0.5 + across * (x - 0.5) + down * (y - 0.5);
}

/** Stripes of a random direction, 2 to 12 in the image, with hard or soft edges. */
function drawStripes(random: Random): Pattern {
  const along = drawGradient(random);
  const count = random.uniform(2, 12);
  const start = random.uniform();
  const hard = random.uniform() < 0.5;
  return (x, y) => {
    const phase = (along(x, y) * count + start) % 1;
    if (hard) return phase < 0.5 ? 0 : 1;
    return Math.abs(2 * phase - 1);
  };
}

/** Random values on a grid, smoothly joined, in three layers, each twice as fine and half as strong as the one before. */
function drawValueNoise(random: Random): Pattern {
  const cells = 2 + random.integer(4);
  const layers = [1, 2, 4].map((scale) => ({ weight: 4 / (7 * scale), noise: drawNoiseLayer(cells * scale, random) }));
  return (x, y) => layers.reduce((sum, { weight, noise }) => sum + weight * noise(x, y), 0);
}

function drawNoiseLayer(cells: number, random: Random): Pattern {
  const side = cells + 1;
  const grid = Float64Array.from({ length: side * side }, () => random.uniform());
  return (x, y) => {
    const column = Math.floor(x * cells);
    const row = Math.floor(y * cells);
    const across = smoothStep(x * cells - column);
    const down = smoothStep(y * cells - row);
    const corner = row * side + column;
    const upper = mix(grid[corner]!, grid[corner + 1]!, across);
    const lower = mix(grid[corner + side]!, grid[corner + side + 1]!, across);
    return mix(upper, lower, down);
  };
}

function mix(from: number, to: number, share: number): number {
  return from + share * (to - from);
}

function smoothStep(share: number): number {
  return share * share * (3 - 2 * share);
}
