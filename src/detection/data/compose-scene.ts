import { cutoutSize, type Cutout } from "../../data/emoji-cutouts";
import { cropMaps } from "../../data/resample";
import type { Random } from "../../engine/random";
import type { Annotation } from "../structures/detection-set";
import { encodeMask, maskArea, maskBox, type Rle } from "../structures/mask-rle";
import { paintBackground } from "./scene-background";

/** Most objects of a scene; the number is drawn evenly from 1 to this. */
export const maximumObjects = 8;

/** Shortest and longest length of an object's longer side, as shares of the scene's side; drawn evenly between them. */
const objectLengths = [0.15, 0.5] as const;

/** Least share of an object that objects before it leave visible. */
export const leastVisible = 0.25;

/** Least width and height of a visible part in pixels: readers of VOC files take xmax = xmin for an object without area. */
const leastSide = 2;

/** Objects that are tried for one scene. Where so many do not fit, the scene has fewer than were drawn. */
const maximumTries = 200;

/** An object of a scene. Its mask is what is seen of it: pixels of which it fills half or more and nothing before it does. */
export interface SceneObject extends Annotation {
  readonly mask: Rle;
  /** The drawing, as the emoji set names it, for example "1f600/google". */
  readonly drawing: string;
  /** Share of its own pixels that objects before it leave visible, from {@link leastVisible} to 1. */
  readonly visible: number;
}

/** An image with exact annotations. */
export interface Scene {
  /** [size, size, 3], red, green, blue. */
  readonly pixels: Uint8Array;
  /** From the rearmost to the foremost. */
  readonly objects: readonly SceneObject[];
}

/**
 * Composes a scene: 1 to 8 drawings of random class, length, place and side (mirrored or not), one over the other on a made
 * background, all inside of the image. A drawing that would hide another one too far is left out and another is drawn.
 *
 * @param byClass - drawings of each class, all used alike; classes are drawn evenly
 * @param size - side in pixels
 */
export function composeScene(byClass: readonly (readonly Cutout[])[], size: number, random: Random): Scene {
  const pixels = paintBackground(size, random);
  const wanted = 1 + random.integer(maximumObjects);
  const layers: Layer[] = [];
  // The layer that is foremost at each pixel, -1 for the background.
  let foremost = new Int8Array(size * size).fill(-1);
  for (let tries = 0; layers.length < wanted && tries < maximumTries; tries++) {
    const layer = drawLayer(byClass, size, random);
    const covered = cover(foremost, size, layer, layers.length);
    if (!areSeen([...layers, layer], covered, size)) continue;
    layers.push(layer);
    foremost = covered;
    blend(pixels, size, layer);
  }
  const objects = layers.map(({ cutout, area }, index): SceneObject => {
    const mask = encodeMask(
      foremost.map((layer) => (layer === index ? 1 : 0)),
      size,
      size,
    );
    const seen = maskArea(mask);
    return {
      box: maskBox(mask),
      category: cutout.label,
      difficult: false,
      crowd: false,
      area: seen,
      mask,
      drawing: cutout.id,
      visible: seen / area,
    };
  });
  return { pixels: new Uint8Array(pixels.buffer), objects };
}

/** A drawing at its length and place. */
interface Layer {
  readonly cutout: Cutout;
  /** Column and row of its upper left corner in the scene. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** [height, width, 4], red, green, blue (0 to 255), each multiplied by alpha (0 to 1), which is last. */
  readonly values: Float32Array;
  /** Pixels that it fills by half or more. */
  readonly area: number;
}

function drawLayer(byClass: readonly (readonly Cutout[])[], size: number, random: Random): Layer {
  const drawings = byClass[random.integer(byClass.length)]!;
  const cutout = drawings[random.integer(drawings.length)]!;
  const scale = (random.uniform(...objectLengths) * size) / Math.max(cutout.width, cutout.height);
  const width = Math.max(1, Math.round(cutout.width * scale));
  const height = Math.max(1, Math.round(cutout.height * scale));
  const left = random.integer(size - width + 1);
  const top = random.integer(size - height + 1);
  const values = resize(cutout, width, height, random.uniform() < 0.5);
  let area = 0;
  for (let at = 3; at < values.length; at += 4) if (isFilled(values[at]!)) area++;
  return { cutout, left, top, width, height, values, area };
}

function isFilled(alpha: number): boolean {
  return alpha >= 0.5;
}

/**
 * Cuts a drawing to what is drawn and resizes it, bilinear with antialiasing. Not by sharp: its vector instructions may round
 * differently from machine to machine.
 *
 * @returns the values of a {@link Layer}
 */
function resize({ pixels, ...from }: Cutout, width: number, height: number, mirrored: boolean): Float32Array {
  const one = (value: number): Int32Array => Int32Array.of(value);
  const flip = Uint8Array.of(mirrored ? 1 : 0);
  const columns = cropMaps(one(from.left), one(from.width), flip, cutoutSize, width).values;
  const rows = cropMaps(one(from.top), one(from.height), undefined, cutoutSize, height).values;
  const across = new Float32Array(cutoutSize * width * 4);
  for (let x = 0; x < width; x++) {
    for (let column = from.left; column < from.left + from.width; column++) {
      const weight = columns[x * cutoutSize + column]!;
      if (weight === 0) continue;
      for (let row = from.top; row < from.top + from.height; row++) {
        const at = (row * cutoutSize + column) * 4;
        const to = (row * width + x) * 4;
        const alpha = (weight * pixels[at + 3]!) / 255;
        for (let channel = 0; channel < 3; channel++) across[to + channel]! += alpha * pixels[at + channel]!;
        across[to + 3]! += alpha;
      }
    }
  }
  const values = new Float32Array(height * width * 4);
  for (let y = 0; y < height; y++) {
    for (let row = from.top; row < from.top + from.height; row++) {
      const weight = rows[y * cutoutSize + row]!;
      if (weight === 0) continue;
      for (let at = 0; at < width * 4; at++) values[y * width * 4 + at]! += weight * across[row * width * 4 + at]!;
    }
  }
  return values;
}

/** Marks the pixels that a layer fills with its index. */
function cover(foremost: Int8Array, size: number, layer: Layer, index: number): Int8Array<ArrayBuffer> {
  const covered = foremost.slice();
  for (let y = 0; y < layer.height; y++) {
    for (let x = 0; x < layer.width; x++) {
      if (!isFilled(layer.values[(y * layer.width + x) * 4 + 3]!)) continue;
      covered[(layer.top + y) * size + layer.left + x] = index;
    }
  }
  return covered;
}

/** Whether enough is seen of every layer. */
function areSeen(layers: readonly Layer[], foremost: Int8Array, size: number): boolean {
  const seen = layers.map(() => ({ area: 0, left: size, top: size, right: 0, bottom: 0 }));
  for (let row = 0, at = 0; row < size; row++) {
    for (let column = 0; column < size; column++, at++) {
      if (foremost[at]! < 0) continue;
      const part = seen[foremost[at]!]!;
      part.area++;
      if (column < part.left) part.left = column;
      if (column >= part.right) part.right = column + 1;
      if (row < part.top) part.top = row;
      part.bottom = row + 1;
    }
  }
  return seen.every(
    ({ area, left, top, right, bottom }, index) =>
      area >= leastVisible * layers[index]!.area && right - left >= leastSide && bottom - top >= leastSide,
  );
}

/** Lays a layer over the pixels. */
function blend(pixels: Uint8ClampedArray, size: number, { left, top, width, height, values }: Layer): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 4;
      const to = ((top + y) * size + left + x) * 3;
      const through = 1 - values[from + 3]!;
      for (let channel = 0; channel < 3; channel++) {
        pixels[to + channel] = values[from + channel]! + through * pixels[to + channel]!;
      }
    }
  }
}
