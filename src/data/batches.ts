import { randomStream } from "../engine/random";
import { uploaded } from "../engine/uploaded";
import { tf } from "../engine/tf";
import { drawView } from "./augmentation-parameters";
import type { AugmentationPolicy } from "./augmentation-policy";
import { type Making, resultOffsets } from "./decoding-task";
import { type Decoding, startDecoding } from "./decoding-threads";
import type { FileSet, ImageData, ImageSet, PixelSet } from "./image-set";
import { ViewMaker } from "./make-view";

/** Of images in memory; decoding threads have their own. */
let viewMaker: ViewMaker | undefined;

/** How many whole batches an epoch has: the rest of the images is dropped, as the official code does. */
export function batchesPerEpoch(set: ImageSet, batchSize: number): number {
  return Math.floor(set.labels.length / batchSize);
}

/** Indices of the images of one batch. Each epoch has an order of its own, a function of seed and epoch alone. */
export function batchIndices(set: ImageSet, batchSize: number, seed: number, step: number): Int32Array {
  const perEpoch = batchesPerEpoch(set, batchSize);
  const order = orderOfEpoch(set.labels.length, seed, Math.floor(step / perEpoch));
  const first = (step % perEpoch) * batchSize;
  return order.slice(first, first + batchSize);
}

/** Remembered: to put a million images in order takes as long as a training step. */
let lastOrder:
  { readonly count: number; readonly seed: number; readonly epoch: number; readonly order: Int32Array } | undefined;

function orderOfEpoch(count: number, seed: number, epoch: number): Int32Array {
  if (lastOrder?.count !== count || lastOrder.seed !== seed || lastOrder.epoch !== epoch) {
    lastOrder = { count, seed, epoch, order: randomStream(seed, "shuffle", epoch).permutation(count) };
  }
  return lastOrder.order;
}

/** One random view of each image of a batch; what is left out is as for the others. */
export interface ViewRequest {
  readonly policy?: AugmentationPolicy;
  /** Side in pixels. */
  readonly size?: number;
}

/** How the views of a batch are drawn. They are a function of these values alone. */
export interface DrawOptions {
  readonly policy: AugmentationPolicy;
  readonly seed: number;
  readonly step: number;
  /** One for each view. @default two views, a query and a key */
  readonly views?: readonly ViewRequest[];
}

/** The views of a batch, drawn now and made when they are asked for. */
export interface DrawnViews {
  /** All of them, normalized, [N, size, size, 3] each; the caller disposes them. */
  readonly all: () => tf.Tensor4D[];
  /**
   * One of them, the same each time; the caller disposes it.
   *
   * @param which - from 0
   * @param positions - which images of the batch, by default all
   */
  readonly one: (which: number, positions?: Int32Array) => tf.Tensor4D;
  /** Gives back what is held for them; they cannot be asked for afterwards. */
  readonly release: () => void;
}

/**
 * Draws random views of some images of the training set. Images in files begin to be decoded at once, by threads of their own:
 * whoever draws the next batch before the step on this one has both at the same time.
 */
export function drawViews(
  data: Pick<ImageData, "train" | "mean" | "std">,
  indices: Int32Array,
  options: DrawOptions,
): DrawnViews {
  const { train, mean, std } = data;
  return "files" in train
    ? drawViewsOfFiles({ train, mean, std }, indices, options)
    : drawViewsOfPixels({ train, mean, std }, indices, options);
}

function drawViewsOfFiles(
  { train, mean, std }: Pick<ImageData<FileSet>, "train" | "mean" | "std">,
  indices: Int32Array,
  { policy, seed, step, views: requests = [{}, {}] }: DrawOptions,
): DrawnViews {
  const views = requests.map((request) => ({ policy, size: train.size, ...request }));
  const making: Making = { kind: "views", views, seed, step, normalization: { mean, std } };
  const decoding = startDecoding(train, indices, making);
  const tensorOf = (which: number) => decodedTensor(decoding, making, which, views[which]!.size, indices.length);
  return {
    all: () => views.map((_, which) => tensorOf(which)),
    one: (which, positions) =>
      positions === undefined
        ? tensorOf(which)
        : decodedRows(decoding, making, which, views[which]!.size, positions, indices.length),
    release: decoding.release,
  };
}

function drawViewsOfPixels(
  { train, mean, std }: Pick<ImageData<PixelSet>, "train" | "mean" | "std">,
  indices: Int32Array,
  { policy, seed, step, views: requests = [{}, {}] }: DrawOptions,
): DrawnViews {
  const random = randomStream(seed, "augment", step);
  const image = { height: train.size, width: train.size };
  const views = requests.map(({ policy: own = policy, size = train.size }) => ({
    size,
    parameters: Array.from(indices, () => drawView(own, image, random)),
  }));
  const make = (wanted: readonly number[], positions: Iterable<number>): tf.Tensor4D[] => {
    const places = [...positions];
    const made = wanted.map((which) => {
      const { size, parameters } = views[which]!;
      return { size, parameters, length: 3 * size * size, values: new Float32Array(places.length * 3 * size * size) };
    });
    const bytes = 3 * train.size * train.size;
    const maker = (viewMaker ??= new ViewMaker());
    places.forEach((place, row) => {
      const start = indices[place]! * bytes;
      maker.open({ ...image, pixels: train.pixels.subarray(start, start + bytes) });
      for (const { size, parameters, length, values } of made) {
        maker.view(parameters[place]!, size, { mean, std }, values.subarray(row * length, (row + 1) * length));
      }
    });
    return made.map(({ size, values }) => tf.tensor4d(values, [places.length, size, size, 3]));
  };
  return {
    all: () => make([...views.keys()], indices.keys()),
    one: (which, positions) => make([which], positions ?? indices.keys())[0]!,
    release: () => undefined,
  };
}

/**
 * Images of a set as evaluation sees them.
 *
 * @returns [indices.length, size, size, 3], float32 in 0 to 1
 * @throws InputError listing files that cannot be read
 */
export function imageTensor(set: ImageSet, indices: Int32Array): tf.Tensor4D {
  return openImages(set, indices)();
}

/**
 * The same in two steps: files begin to be decoded when it is called, and the function that it returns waits for them. That is to
 * be called once.
 */
export function openImages(set: ImageSet, indices: Int32Array): () => tf.Tensor4D {
  if (!("files" in set)) return () => pixelTensor(set, indices);
  const making: Making = { kind: "evaluation", size: set.size };
  const decoding = startDecoding(set, indices, making);
  return () => {
    const images = decodedTensor(decoding, making, 0, set.size, indices.length);
    decoding.release();
    return images;
  };
}

function pixelTensor({ pixels, size }: PixelSet, indices: Int32Array): tf.Tensor4D {
  const length = size * size * 3;
  const values = new Float32Array(indices.length * length);
  indices.forEach((index, position) => {
    const start = index * length;
    const target = position * length;
    for (let offset = 0; offset < length; offset++) values[target + offset] = pixels[start + offset]! / 255;
  });
  return tf.tensor4d(values, [indices.length, size, size, 3]);
}

/** Results of one kind for all images of a batch. */
function decodedTensor(decoding: Decoding, making: Making, which: number, size: number, count: number): tf.Tensor4D {
  const values = new Float32Array(decoding.results(), resultOffsets(making, count)[which], count * 3 * size * size);
  return uploaded(tf.tensor4d(values, [count, size, size, 3]));
}

/** Those of some images. */
function decodedRows(
  decoding: Decoding,
  making: Making,
  which: number,
  size: number,
  positions: Int32Array,
  count: number,
): tf.Tensor4D {
  const length = 3 * size * size;
  const all = new Float32Array(decoding.results(), resultOffsets(making, count)[which], count * length);
  const values = new Float32Array(positions.length * length);
  positions.forEach((position, at) =>
    values.set(all.subarray(position * length, (position + 1) * length), at * length),
  );
  return tf.tensor4d(values, [positions.length, size, size, 3]);
}
