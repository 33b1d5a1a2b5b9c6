import type { Random } from "../engine/random";
import type { AugmentationPolicy } from "./augmentation-policy";

/** The operations of color jitter, numbered as torchvision numbers them. */
export const jitterOperations = ["brightness", "contrast", "saturation", "hue"] as const;

/** What color jitter does to an image. */
export interface ColorJitter {
  /** The numbers of the four operations in the order in which they are applied. */
  readonly order: Uint8Array;
  /** Factors of brightness, contrast and saturation (1 changes nothing), shift of the hue in turns (0: nothing). */
  readonly amounts: Float32Array;
}

/** What is done to an image to make one view of it, as plain numbers: it can be printed, compared, and applied again. */
export interface ViewParameters {
  /** The crop, in pixels of the image. */
  readonly crop: Crop;
  /** Whether it is mirrored left to right. */
  readonly flip: boolean;
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

/**
 * Draws the parameters of one view of an image.
 *
 * @param random - the only source of chance: the same stream gives the same parameters
 */
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
