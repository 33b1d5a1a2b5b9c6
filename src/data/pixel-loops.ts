import { readFileSync } from "node:fs";
import type { Crop } from "./augmentation-parameters";
import { compiledFile } from "./compiled-file";
import type { ResizingTaps } from "./filter-taps";
import type { Normalization } from "./make-view";

/** What is exported by wasm/view.ts. Numbers are addresses and lengths, as it says. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; readonly grow: (pages: number) => number };
  readonly resizeDown: (...numbers: number[]) => void;
  readonly resizeAcross: (...numbers: number[]) => void;
  readonly turnGray: (view: number, plane: number, pixels: number) => void;
  readonly meanGray: (view: number, plane: number, pixels: number) => number;
  readonly blend: (view: number, plane: number, factor: number, added: number) => void;
  readonly saturate: (view: number, plane: number, pixels: number, factor: number) => void;
  readonly shiftHue: (view: number, plane: number, pixels: number, turns: number) => void;
  readonly blur: (...numbers: number[]) => void;
  readonly interleave: (...numbers: number[]) => void;
}

/** What {@link PixelLoops.resize} is told. */
interface Resizing {
  readonly imageWidth: number;
  readonly crop: Crop;
  /** The taps of the crop's sides. */
  readonly rows: ResizingTaps;
  readonly columns: ResizingTaps;
  /** Side of the view. */
  readonly size: number;
  readonly mirrored: boolean;
}

/** Loops over-run by up to 16 numbers. */
const room = 64;
const pageBytes = 65536;
/** For the taps of two sides, of a blur, and six numbers of normalization; grows with the sizes. */
const megabyte = 2 ** 20;

let loopsModule: object | undefined;

/** The part of WebAssembly that is used; Node's types leave it out. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  };
};

/** Where the image lies; the loops keep nothing of their own in memory. */
const base = 1024;

/**
 * The loops of wasm/view.ts with their memory: an image, the view that is made of it, and room to work in. Arithmetic is of
 * 32-bit floats in a fixed order, so that a view has the same bits on every machine.
 */
export class PixelLoops {
  private readonly loops: Exports;
  /** Where what follows the image lies. */
  private afterImage = base;
  private size = 0;
  private plane = 0;
  private view = 0;
  private spare = 0;
  private free = 0;

  constructor() {
    loopsModule ??= new WebAssembly.Module(readFileSync(compiledFile("view.wasm")));
    this.loops = new WebAssembly.Instance(loopsModule, {}).exports as Exports;
  }

  /** @param pixels - [height, width, 3] */
  loadImage(pixels: Uint8Array): void {
    this.afterImage = base + aligned(pixels.length + room);
    this.reserve(this.afterImage);
    new Uint8Array(this.loops.memory.buffer, base, pixels.length).set(pixels);
  }

  /** Cuts a part out of the image and resizes it to the view. */
  resize({ imageWidth, crop, rows, columns, size, mirrored }: Resizing): void {
    const { loops } = this;
    this.size = size;
    this.plane = aligned(4 * size * size + room);
    const rowBytes = aligned(4 * 3 * crop.width + room);
    this.view = this.afterImage;
    this.spare = this.view + 3 * this.plane;
    const across = this.spare + 3 * this.plane;
    this.free = across + size * rowBytes + room;
    this.reserve(this.free + 4 * (rows.weights.length + columns.weights.length + 8 * size) + megabyte);
    let at = this.free;
    const put = (values: Int32Array | Float32Array): number => {
      const start = at;
      at += this.put(start, values);
      return start;
    };
    const source = base + 3 * (crop.top * imageWidth + crop.left);
    const down = [put(rows.firsts), put(rows.counts), put(rows.weights), rows.stride];
    loops.resizeDown(source, 3 * imageWidth, 3 * crop.width, ...down, size, across, rowBytes);
    const aside = [put(columns.firsts), put(columns.counts), put(columns.weights), columns.stride];
    loops.resizeAcross(across, rowBytes, size, ...aside, size, Number(mirrored), this.view, this.plane);
  }

  turnGray(): void {
    this.loops.turnGray(this.view, this.plane, this.size ** 2);
  }

  meanGray(): number {
    return this.loops.meanGray(this.view, this.plane, this.size ** 2);
  }

  /** factor * color + added, cut to 0 to 1. */
  blend(factor: number, added: number): void {
    this.loops.blend(this.view, this.plane, factor, added);
  }

  saturate(factor: number): void {
    this.loops.saturate(this.view, this.plane, this.size ** 2, factor);
  }

  /** @param turns - how far the hue is turned, in turns */
  shiftHue(turns: number): void {
    this.loops.shiftHue(this.view, this.plane, this.size ** 2, turns);
  }

  /** @param taps - an odd number of weights */
  blur(taps: Float64Array): void {
    const row = this.free + aligned(4 * taps.length);
    this.put(this.free, Float32Array.from(taps));
    this.loops.blur(this.view, this.plane, this.size, this.free, (taps.length - 1) / 2, row, this.spare);
    [this.view, this.spare] = [this.spare, this.view];
  }

  /** Writes the view, [size, size, 3]. */
  write({ mean, std }: Normalization, target: Float32Array): void {
    this.put(
      this.free,
      Float32Array.from(std, (value) => 1 / value),
    );
    this.put(
      this.free + 16,
      Float32Array.from(mean, (value, channel) => -value / std[channel]!),
    );
    this.loops.interleave(this.view, this.plane, this.size ** 2, this.free, this.free + 16, this.spare);
    target.set(new Float32Array(this.loops.memory.buffer, this.spare, 3 * this.size ** 2));
  }

  /** @returns bytes taken */
  private put(at: number, values: Int32Array | Float32Array): number {
    const Kind = values.constructor as Float32ArrayConstructor;
    new Kind(this.loops.memory.buffer, at, values.length).set(values);
    return aligned(values.byteLength + room);
  }

  private reserve(end: number): void {
    const { memory } = this.loops;
    if (end > memory.buffer.byteLength) memory.grow(Math.ceil((end - memory.buffer.byteLength) / pageBytes));
  }
}

function aligned(address: number): number {
  return Math.ceil(address / 16) * 16;
}
