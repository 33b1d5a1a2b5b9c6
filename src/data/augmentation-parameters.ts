import type { Random } from "../engine/random";
import type { AugmentationPolicy } from "./augmentation-policy";

/** The operations of color jitter, numbered as torchvision numbers them. */
export const jitterOperations = ["brightness", "contrast", "saturation", "hue"] as const;

/** Parts of red, green and blue in gray (ITU-R BT.601, rounded as torchvision rounds them). */
export const grayParts = [0.2989, 0.587, 0.114] as const;

/** What color jitter does to each image of a batch. */
export interface ColorJitter {
  /** [count, 4]: the numbers of the operations in the order in which they are applied to an image. */
  readonly order: Uint8Array;
  /** [count, 4]: factors of brightness, contrast and saturation (1 changes nothing), shift of the hue in turns (0: nothing). */
  readonly amounts: Float32Array;
}

/** What is done to one image to make one view of it. */
export interface ViewParameters {
  /** The crop, in pixels of the image. */
  readonly crop: Crop;
  /** Whether it is mirrored left to right. */
  readonly flip: boolean;
  /** Of one image: four values each. */
  readonly jitter: ColorJitter;
  /** Whether it is turned gray. */
  readonly gray: boolean;
  readonly grayscaleAt: AugmentationPolicy["grayscale"]["at"];
  /** Standard deviation of the blur in pixels of the view, 0 for none. */
  readonly blurSigma: number;
}

/** A part of an image, in pixels. */
export interface Crop {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Sides of an image in pixels. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** Draws the parameters of one view of an image. */
export function drawView(policy: AugmentationPolicy, size: ImageSize, random: Random): ViewParameters {
  const crop = drawCrop(policy.crop, size, random);
  const flip = random.uniform() < policy.flip.probability;
  const order = Uint8Array.from(random.permutation(4));
  const amounts = Float32Array.from(drawJitterAmounts(policy.jitter, random));
  const gray = random.uniform() < policy.grayscale.probability;
  const blurred = policy.blur !== undefined && random.uniform() < policy.blur.probability;
  return {
    crop,
    flip,
    jitter: { order, amounts },
    gray,
    grayscaleAt: policy.grayscale.at,
    blurSigma: blurred ? Math.fround(random.uniform(...policy.blur.sigma)) : 0,
  };
}

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
    const { crop, flip, jitter, gray, blurSigma } = drawView(policy, { height: size, width: size }, random);
    parameters.tops[image] = crop.top;
    parameters.lefts[image] = crop.left;
    parameters.heights[image] = crop.height;
    parameters.widths[image] = crop.width;
    parameters.flips[image] = Number(flip);
    parameters.jitter.order.set(jitter.order, 4 * image);
    parameters.jitter.amounts.set(jitter.amounts, 4 * image);
    parameters.gray[image] = Number(gray);
    if (parameters.blurSigmas) parameters.blurSigmas[image] = blurSigma;
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

/**
 * As torchvision's `RandomResizedCrop.get_params`: ten tries, then the largest crop in the middle whose aspect is within the
 * bounds.
 */
function drawCrop({ scale, ratio }: AugmentationPolicy["crop"], { height, width }: ImageSize, random: Random): Crop {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = height * width * random.uniform(...scale);
    const aspect = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const [w, h] = [Math.round(Math.sqrt(area * aspect)), Math.round(Math.sqrt(area / aspect))];
    if (w > 0 && w <= width && h > 0 && h <= height) {
      return { top: random.integer(height - h + 1), left: random.integer(width - w + 1), height: h, width: w };
    }
  }
  const aspect = Math.min(Math.max(width / height, ratio[0]), ratio[1]);
  const w = Math.min(width, Math.max(1, Math.round(height * aspect)));
  const h = Math.min(height, Math.max(1, Math.round(width / aspect)));
  return { top: Math.floor((height - h) / 2), left: Math.floor((width - w) / 2), height: h, width: w };
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
