import {
  type ColorJitter,
  type Crop,
  type ImageSize,
  jitterOperations,
  type ViewParameters,
} from "./augmentation-parameters";
import { gaussianTaps, type ResizingTaps, resizingTaps } from "./filter-taps";
import { PixelLoops } from "./pixel-loops";

/*
 * Views of one image at a time: of images in memory by the main thread, of files by the threads that decode them, beside the step.
 * Operations of TensorFlow, each a walk through memory, take several times as long. Tested against torchvision.
 */

/** An image as it was decoded. */
export interface DecodedImage extends ImageSize {
  /** [height, width, 3], red, green, blue. */
  readonly pixels: Uint8Array;
}

/** How values of 0 to 1 are written: less the mean, divided by the standard deviation of each channel. */
export interface Normalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Leaves values as they are. */
export const unnormalized: Normalization = { mean: [0, 0, 0], std: [1, 1, 1] };

/** Makes views of images; owns memory that grows to what the largest image needs. Not for two images at a time. */
export class ViewMaker {
  private readonly loops = new PixelLoops();
  private image: DecodedImage | undefined;

  /** Takes the image that the next views are of. */
  open(image: DecodedImage): void {
    this.image = image;
    this.loops.loadImage(image.pixels);
  }

  /**
   * Makes a view: crop and resize, gray and color jitter (or the other way round), blur, flip.
   *
   * @param size - side of the view in pixels
   * @param target - where it is written, [size, size, 3]
   */
  view(parameters: ViewParameters, size: number, normalization: Normalization, target: Float32Array): void {
    const { crop, flip, jitter, gray, grayscaleAt, blurSigma } = parameters;
    this.resize(crop, resizingTaps(crop.height, size), resizingTaps(crop.width, size), size, flip);
    if (gray && grayscaleAt === "before jitter") this.loops.turnGray();
    this.jitter(jitter);
    if (gray && grayscaleAt === "after jitter") this.loops.turnGray();
    if (blurSigma > 0) this.loops.blur(gaussianTaps(blurSigma, size));
    this.loops.write(normalization, target);
  }

  /**
   * The image as evaluation sees it: the shorter side resized to 256 / 224 of `size` and the center cut out, as torchvision's
   * `Resize(256)` and `CenterCrop(224)`, which are the paper's; other sizes keep the ratio. An image that has the size already, as
   * CIFAR's, is taken as it is.
   *
   * @param target - where it is written, [size, size, 3]
   */
  evaluationView(size: number, normalization: Normalization, target: Float32Array): void {
    const image = this.image!;
    const resized = resizedForEvaluation(image, size);
    const [top, left] = [centerOffset(resized.height, size), centerOffset(resized.width, size)];
    const rows = someTaps(resizingTaps(image.height, resized.height), top, size);
    const columns = someTaps(resizingTaps(image.width, resized.width), left, size);
    this.resize({ top: 0, left: 0, height: image.height, width: image.width }, rows, columns, size, false);
    this.loops.write(normalization, target);
  }

  private resize(crop: Crop, rows: ResizingTaps, columns: ResizingTaps, size: number, mirrored: boolean): void {
    this.loops.resize({ imageWidth: this.image!.width, crop, rows, columns, size, mirrored });
  }

  private jitter({ order, amounts }: ColorJitter): void {
    for (const operation of order) {
      const amount = amounts[operation]!;
      switch (jitterOperations[operation]) {
        case "brightness":
          if (amount !== 1) this.loops.blend(amount, 0);
          break;
        case "contrast":
          if (amount !== 1) this.loops.blend(amount, (1 - amount) * this.loops.meanGray());
          break;
        case "saturation":
          if (amount !== 1) this.loops.saturate(amount);
          break;
        case "hue":
          if (amount !== 0) this.loops.shiftHue(amount);
      }
    }
  }
}

/** The shorter side becomes 256 / 224 of `size` (unless the image has that size), the longer one is cut to a whole number, as torchvision's `Resize`. */
function resizedForEvaluation({ height, width }: ImageSize, size: number): ImageSize {
  if (height === size && width === size) return { height, width };
  const shorter = Math.round((size * 256) / 224);
  const longer = Math.floor((shorter * Math.max(height, width)) / Math.min(height, width));
  return height <= width ? { height: shorter, width: longer } : { height: longer, width: shorter };
}

/** As torchvision's `CenterCrop`, which rounds halves to even. */
function centerOffset(length: number, size: number): number {
  const half = (length - size) / 2;
  const below = Math.floor(half);
  return half - below > 0.5 || (half - below === 0.5 && below % 2 === 1) ? below + 1 : below;
}

function someTaps({ firsts, counts, weights, stride }: ResizingTaps, first: number, count: number): ResizingTaps {
  return {
    firsts: firsts.subarray(first, first + count),
    counts: counts.subarray(first, first + count),
    weights: weights.subarray(first * stride, (first + count) * stride),
    stride,
  };
}
