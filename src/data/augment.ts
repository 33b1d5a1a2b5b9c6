import type { Random } from "../engine/random";
import { tf } from "../engine/tf";
import type { AugmentationPolicy } from "./augmentation-policy";
import { type ColorJitter, grayscale, jitterColors } from "./color-jitter";
import { blurMaps, cropMaps, resample } from "./resample";

/** What is done to each image of a batch, as plain numbers: it can be printed, compared, and applied again. */
export interface AugmentationParameters {
  /** Side in pixels of the images that the crops are for. */
  readonly size: number;
  /** The crop of each image, in pixels. */
  readonly tops: Int32Array;
  readonly lefts: Int32Array;
  readonly heights: Int32Array;
  readonly widths: Int32Array;
  /** 1 for images mirrored left to right. */
  readonly flips: Uint8Array;
  readonly jitter: ColorJitter;
  /** 1 for images turned gray. */
  readonly gray: Uint8Array;
  readonly grayscaleAt: AugmentationPolicy["grayscale"]["at"];
  /** Standard deviation in output pixels of each image's blur, 0 for none; undefined where the policy has no blur. */
  readonly blurSigmas: Float32Array | undefined;
}

/**
 * Draws the parameters of one view of each of `count` images.
 *
 * @param size - side of the source images in pixels
 * @param random - the only source of chance: the same stream gives the same parameters
 */
export function drawAugmentation(
  policy: AugmentationPolicy,
  count: number,
  size: number,
  random: Random,
): AugmentationParameters {
  const parameters = {
    size,
    tops: new Int32Array(count),
    lefts: new Int32Array(count),
    heights: new Int32Array(count),
    widths: new Int32Array(count),
    flips: new Uint8Array(count),
    jitter: { order: new Uint8Array(4 * count), amounts: new Float32Array(4 * count) },
    gray: new Uint8Array(count),
    grayscaleAt: policy.grayscale.at,
    blurSigmas: policy.blur && new Float32Array(count),
  };
  for (let image = 0; image < count; image++) {
    const crop = drawCrop(policy.crop, size, random);
    parameters.tops[image] = crop.top;
    parameters.lefts[image] = crop.left;
    parameters.heights[image] = crop.height;
    parameters.widths[image] = crop.width;
    parameters.flips[image] = Number(random.uniform() < policy.flip.probability);
    parameters.jitter.order.set(random.permutation(4), 4 * image);
    parameters.jitter.amounts.set(drawJitterAmounts(policy.jitter, random), 4 * image);
    parameters.gray[image] = Number(random.uniform() < policy.grayscale.probability);
    if (policy.blur && random.uniform() < policy.blur.probability) {
      parameters.blurSigmas![image] = random.uniform(...policy.blur.sigma);
    }
  }
  return parameters;
}

/** The parameters of some of the views. */
export function selectAugmentation(parameters: AugmentationParameters, rows: Int32Array): AugmentationParameters {
  const { tops, lefts, heights, widths, flips, jitter, gray, blurSigmas } = parameters;
  const pick = <T extends Int32Array | Uint8Array | Float32Array>(values: T, each = 1): T => {
    const picked = new (values.constructor as new (length: number) => T)(each * rows.length);
    rows.forEach((row, position) => picked.set(values.subarray(each * row, each * row + each), each * position));
    return picked;
  };
  return {
    ...parameters,
    tops: pick(tops),
    lefts: pick(lefts),
    heights: pick(heights),
    widths: pick(widths),
    flips: pick(flips),
    jitter: { order: pick(jitter.order, 4), amounts: pick(jitter.amounts, 4) },
    gray: pick(gray),
    blurSigmas: blurSigmas && pick(blurSigmas),
  };
}

/** As torchvision's `RandomResizedCrop.get_params` for a square image, whose fallback after ten tries is the whole image. */
function drawCrop({ scale, ratio }: AugmentationPolicy["crop"], size: number, random: Random) {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = size * size * random.uniform(...scale);
    const aspect = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const width = Math.round(Math.sqrt(area * aspect));
    const height = Math.round(Math.sqrt(area / aspect));
    if (width > 0 && width <= size && height > 0 && height <= size) {
      return { top: random.integer(size - height + 1), left: random.integer(size - width + 1), height, width };
    }
  }
  return { top: 0, left: 0, height: size, width: size };
}

function drawJitterAmounts(jitter: AugmentationPolicy["jitter"], random: Random): [number, number, number, number] {
  if (random.uniform() >= jitter.probability) return [1, 1, 1, 0];
  const factor = (strength: number) => random.uniform(Math.max(0, 1 - strength), 1 + strength);
  return [
    factor(jitter.brightness),
    factor(jitter.contrast),
    factor(jitter.saturation),
    random.uniform(-jitter.hue, jitter.hue),
  ];
}

/**
 * Applies the parameters: crop and resize, gray and color jitter (or the other way round), blur, flip.
 *
 * One call with both views of a batch (`parameters` of twice the count, the images given twice) is faster than two.
 *
 * @param images - [count, size, size, 3], float32 in 0..1
 * @param outputSize - side of the result in pixels
 * @returns [count, outputSize, outputSize, 3] in 0..1, not normalized
 */
export function augment(images: tf.Tensor4D, parameters: AugmentationParameters, outputSize: number): tf.Tensor4D {
  const { size, tops, lefts, heights, widths, flips, jitter, gray, grayscaleAt, blurSigmas } = parameters;
  const expected = [tops.length, size, size, 3];
  if (images.shape.some((length, axis) => length !== expected[axis])) {
    throw new Error(
      `Cannot augment: images must be [${expected.join(", ")}], current shape is [${images.shape.join(", ")}]`,
    );
  }
  return tf.tidy(() => {
    const rows = cropMaps(tops, heights, undefined, size, outputSize);
    // Mirroring commutes with all that follows, so it costs nothing here.
    const columns = cropMaps(lefts, widths, flips, size, outputSize);
    const cropped = resample(tf.transpose(images, [0, 3, 1, 2]), rows, columns);

    let colors: tf.Tensor3D = cropped.reshape([tops.length, 3, outputSize * outputSize]);
    if (grayscaleAt === "before jitter") colors = grayscale(colors, gray);
    colors = jitterColors(colors, jitter);
    if (grayscaleAt === "after jitter") colors = grayscale(colors, gray);

    let view: tf.Tensor4D = colors.reshape(cropped.shape);
    if (blurSigmas) {
      const blur = blurMaps(blurSigmas, outputSize);
      view = resample(view, blur, blur);
    }
    return tf.transpose(view, [0, 2, 3, 1]);
  });
}

/**
 * Subtracts the mean and divides by the standard deviation of each channel.
 *
 * @param images - [count, height, width, 3], in the unit of `mean` and `std`
 */
export function normalize(images: tf.Tensor4D, mean: readonly number[], std: readonly number[]): tf.Tensor4D {
  return tf.tidy(() => {
    // A whole row of channels at once: TensorFlow is three times slower where it repeats only three numbers.
    const alongRow = (values: readonly number[]) => tf.tile(tf.tensor2d([...values], [1, 3]), [images.shape[2], 1]);
    return images.sub(alongRow(mean)).div(alongRow(std));
  });
}
