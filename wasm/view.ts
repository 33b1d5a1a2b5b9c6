/*
 * The loops over pixels that make a view of an image, four numbers at a time (WebAssembly, compiled by AssemblyScript):
 * src/data/make-view.ts calls them and says what each is for. Addresses are in bytes, of memory that the caller lays out.
 *
 * A view is three planes, red, green and blue, of 32-bit floats in 0 to 1; `plane` is the distance from one to the next. Loops
 * run over the end of a row or plane by up to 16 numbers: the caller leaves so much room.
 */

// Parts of red, green and blue in gray (ITU-R BT.601), rounded as torchvision rounds them.
const redPart: f32 = 0.2989;
const greenPart: f32 = 0.587;
const bluePart: f32 = 0.114;

/** Maps rows of bytes to fewer or more rows of floats: row `r` of the target is a weighted sum of `counts[r]` rows from `firsts[r]` on. */
export function resizeDown(
  source: usize,
  sourceRow: usize,
  length: usize,
  firsts: usize,
  counts: usize,
  weights: usize,
  stride: usize,
  rows: usize,
  target: usize,
  targetRow: usize,
): void {
  for (let row: usize = 0; row < rows; row++) {
    const count = <usize>load<i32>(counts + (row << 2));
    const start = source + <usize>load<i32>(firsts + (row << 2)) * sourceRow;
    const ofRow = weights + ((row * stride) << 2);
    for (let at: usize = 0; at < length; at += 16) {
      let a = f32x4.splat(0);
      let b = f32x4.splat(0);
      let c = f32x4.splat(0);
      let d = f32x4.splat(0);
      for (let tap: usize = 0; tap < count; tap++) {
        const weight = f32x4.splat(load<f32>(ofRow + (tap << 2)));
        const bytes = v128.load(start + tap * sourceRow + at);
        const low = i16x8.extend_low_i8x16_u(bytes);
        const high = i16x8.extend_high_i8x16_u(bytes);
        a = f32x4.add(a, f32x4.mul(weight, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(low))));
        b = f32x4.add(b, f32x4.mul(weight, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(low))));
        c = f32x4.add(c, f32x4.mul(weight, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(high))));
        d = f32x4.add(d, f32x4.mul(weight, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(high))));
      }
      const to = target + row * targetRow + (at << 2);
      v128.store(to, a);
      v128.store(to, b, 16);
      v128.store(to, c, 32);
      v128.store(to, d, 48);
    }
  }
}

/** Maps each row of colors (0 to 255) to a row of `columns` pixels of the three planes (0 to 1), from right to left where mirrored. */
export function resizeAcross(
  source: usize,
  sourceRow: usize,
  rows: usize,
  firsts: usize,
  counts: usize,
  weights: usize,
  stride: usize,
  columns: usize,
  mirrored: bool,
  target: usize,
  plane: usize,
): void {
  const unit = f32x4.splat(1.0 / 255.0);
  for (let row: usize = 0; row < rows; row++) {
    for (let column: usize = 0; column < columns; column++) {
      const count = <usize>load<i32>(counts + (column << 2));
      const start = source + row * sourceRow + <usize>load<i32>(firsts + (column << 2)) * 12;
      const ofColumn = weights + ((column * stride) << 2);
      let sum = f32x4.splat(0);
      for (let tap: usize = 0; tap < count; tap++) {
        const weight = f32x4.splat(load<f32>(ofColumn + (tap << 2)));
        sum = f32x4.add(sum, f32x4.mul(weight, v128.load(start + tap * 12)));
      }
      sum = f32x4.mul(sum, unit);
      const to = target + ((row * columns + (mirrored ? columns - 1 - column : column)) << 2);
      store<f32>(to, f32x4.extract_lane(sum, 0));
      store<f32>(to + plane, f32x4.extract_lane(sum, 1));
      store<f32>(to + 2 * plane, f32x4.extract_lane(sum, 2));
    }
  }
}

function grayOf(red: v128, green: v128, blue: v128): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(f32x4.splat(redPart), red), f32x4.mul(f32x4.splat(greenPart), green)),
    f32x4.mul(f32x4.splat(bluePart), blue),
  );
}

function cut(value: v128): v128 {
  return f32x4.min(f32x4.max(value, f32x4.splat(0)), f32x4.splat(1));
}

export function turnGray(view: usize, plane: usize, pixels: usize): void {
  for (let at = view; at < view + (pixels << 2); at += 16) {
    const gray = grayOf(v128.load(at), v128.load(at + plane), v128.load(at + 2 * plane));
    v128.store(at, gray);
    v128.store(at + plane, gray);
    v128.store(at + 2 * plane, gray);
  }
}

export function meanGray(view: usize, plane: usize, pixels: usize): f64 {
  let sum: f64 = 0;
  // Short sums of floats into one of doubles.
  for (let first: usize = 0; first < pixels; first += 256) {
    let part = f32x4.splat(0);
    const end = min(first + 256, pixels);
    let at = first;
    for (; at + 4 <= end; at += 4) {
      const from = view + (at << 2);
      part = f32x4.add(part, grayOf(v128.load(from), v128.load(from + plane), v128.load(from + 2 * plane)));
    }
    sum += <f64>(
      (f32x4.extract_lane(part, 0) +
        f32x4.extract_lane(part, 1) +
        f32x4.extract_lane(part, 2) +
        f32x4.extract_lane(part, 3))
    );
    for (; at < end; at++) {
      const from = view + (at << 2);
      sum += <f64>(
        (redPart * load<f32>(from) + greenPart * load<f32>(from + plane) + bluePart * load<f32>(from + 2 * plane))
      );
    }
  }
  return sum / <f64>pixels;
}

/** factor * color + added, cut to 0 to 1. */
export function blend(view: usize, plane: usize, factor: f32, added: f32): void {
  const factors = f32x4.splat(factor);
  const addeds = f32x4.splat(added);
  for (let at = view; at < view + 3 * plane; at += 16) {
    v128.store(at, cut(f32x4.add(f32x4.mul(factors, v128.load(at)), addeds)));
  }
}

/** factor * color + (1 - factor) * its gray, cut to 0 to 1. */
export function saturate(view: usize, plane: usize, pixels: usize, factor: f32): void {
  const factors = f32x4.splat(factor);
  const others = f32x4.splat(1 - factor);
  for (let at = view; at < view + (pixels << 2); at += 16) {
    const red = v128.load(at);
    const green = v128.load(at + plane);
    const blue = v128.load(at + 2 * plane);
    const gray = f32x4.mul(others, grayOf(red, green, blue));
    v128.store(at, cut(f32x4.add(f32x4.mul(factors, red), gray)));
    v128.store(at + plane, cut(f32x4.add(f32x4.mul(factors, green), gray)));
    v128.store(at + 2 * plane, cut(f32x4.add(f32x4.mul(factors, blue), gray)));
  }
}

function channel(hue: v128, high: v128, range: v128, offset: f32): v128 {
  const shifted = f32x4.add(hue, f32x4.splat(offset));
  const turns = f32x4.floor(f32x4.mul(shifted, f32x4.splat(1.0 / 6.0)));
  const place = f32x4.sub(shifted, f32x4.mul(f32x4.splat(6), turns));
  const share = cut(f32x4.min(place, f32x4.sub(f32x4.splat(4), place)));
  return f32x4.sub(high, f32x4.mul(range, share));
}

/** Turns the hue in HSV: with V the highest channel, C the range and H the hue in sixths, red is V - C f(5), green f(3), blue f(1). */
export function shiftHue(view: usize, plane: usize, pixels: usize, turns: f32): void {
  const shift = f32x4.splat(6 * turns);
  for (let at = view; at < view + (pixels << 2); at += 16) {
    const red = v128.load(at);
    const green = v128.load(at + plane);
    const blue = v128.load(at + 2 * plane);
    const high = f32x4.max(f32x4.max(red, green), blue);
    const range = f32x4.sub(high, f32x4.min(f32x4.min(red, green), blue));
    // A gray has no hue, and any will do.
    const divisor = f32x4.max(range, f32x4.splat(1e-20));
    const fromRed = f32x4.div(f32x4.sub(green, blue), divisor);
    const fromGreen = f32x4.add(f32x4.splat(2), f32x4.div(f32x4.sub(blue, red), divisor));
    const fromBlue = f32x4.add(f32x4.splat(4), f32x4.div(f32x4.sub(red, green), divisor));
    const below = v128.bitselect(fromGreen, fromBlue, f32x4.eq(high, green));
    const hue = f32x4.add(v128.bitselect(fromRed, below, f32x4.eq(high, red)), shift);
    v128.store(at, channel(hue, high, range, 5));
    v128.store(at + plane, channel(hue, high, range, 3));
    v128.store(at + 2 * plane, channel(hue, high, range, 1));
  }
}

function reflected(position: i32, size: i32): i32 {
  return position < 0 ? -position : position < size ? position : 2 * (size - 1) - position;
}

/**
 * Blurs along both sides with 2 radius + 1 weights; the border is reflected.
 *
 * @param row - room for a row of size + 2 radius numbers
 */
export function blur(view: usize, plane: usize, size: i32, taps: usize, radius: i32, row: usize, target: usize): void {
  const rowBytes = (<usize>size) << 2;
  const inside = row + ((<usize>radius) << 2);
  for (let channel: usize = 0; channel < 3; channel++) {
    const from = view + channel * plane;
    const to = target + channel * plane;
    for (let y = 0; y < size; y++) {
      for (let x: usize = 0; x < rowBytes; x += 16) {
        let sum = f32x4.splat(0);
        for (let tap = -radius; tap <= radius; tap++) {
          const weight = f32x4.splat(load<f32>(taps + ((<usize>(tap + radius)) << 2)));
          sum = f32x4.add(sum, f32x4.mul(weight, v128.load(from + <usize>reflected(y + tap, size) * rowBytes + x)));
        }
        v128.store(inside + x, sum);
      }
      for (let beyond = 1; beyond <= radius; beyond++) {
        const left = load<f32>(inside + ((<usize>reflected(-beyond, size)) << 2));
        const right = load<f32>(inside + ((<usize>reflected(size - 1 + beyond, size)) << 2));
        store<f32>(inside - ((<usize>beyond) << 2), left);
        store<f32>(inside + ((<usize>(size - 1 + beyond)) << 2), right);
      }
      for (let x: usize = 0; x < rowBytes; x += 16) {
        let sum = f32x4.splat(0);
        for (let tap: usize = 0; tap <= <usize>(2 * radius); tap++) {
          const weight = f32x4.splat(load<f32>(taps + (tap << 2)));
          sum = f32x4.add(sum, f32x4.mul(weight, v128.load(row + x + (tap << 2))));
        }
        v128.store(to + <usize>y * rowBytes + x, sum);
      }
    }
  }
}

/** Lays the planes side by side, [pixels, 3], each channel times a factor plus an offset (three floats each). */
export function interleave(
  view: usize,
  plane: usize,
  pixels: usize,
  factors: usize,
  offsets: usize,
  target: usize,
): void {
  for (let channel: usize = 0; channel < 3; channel++) {
    const factor = load<f32>(factors + (channel << 2));
    const offset = load<f32>(offsets + (channel << 2));
    const from = view + channel * plane;
    for (let at: usize = 0; at < pixels; at++) {
      store<f32>(target + at * 12 + (channel << 2), load<f32>(from + (at << 2)) * factor + offset);
    }
  }
}
