import { tf } from "../../engine/tf";
import { boxCount, type Boxes } from "../structures/boxes";

/** Geometry of RoIAlign. */
export interface RoiAlignOptions {
  /** Side of the output: 14 for C4 and for masks, 7 for the box head with FPN. */
  readonly resolution: number;
  /** Cells of the feature map a pixel of the image: 1 / 16 for C4. */
  readonly scale: number;
  /**
   * Samples a bin in each direction; 0: as many as the bin has cells, rounded up, for each RoI by itself (detectron2's
   * default).
   */
  readonly samplingRatio: number;
}

/**
 * RoIAlign (Mask R-CNN, section 3) in its aligned form, detectron2's ROIAlignV2: a pixel's value stands at its center.
 * Each bin is the mean of bilinear samples; a sample more than one cell outside the map is 0.
 *
 * Bilinear sampling is separable: the output is Ay X Ax' with a matrix of weights for the rows and one for the columns of
 * each RoI. Two matrix products take a fraction of the time of gathering samples, and so do their gradients.
 *
 * @param features - [N, H, W, C]
 * @param rois - for each of the N images its boxes, in the image's pixels; their number may differ and be 0
 * @returns image after image, [R, resolution, resolution, C]; without gradient to the boxes
 */
export function roiAlign(features: tf.Tensor4D, rois: readonly Boxes[], options: RoiAlignOptions): tf.Tensor4D {
  const [, height, width, channels] = features.shape;
  const { resolution } = options;
  const counts = rois.map(boxCount);
  const align = tf.customGrad((...inputs) => {
    const [maps, save] = inputs as unknown as [tf.Tensor4D, tf.GradSaveFunc];
    const weights = rois.flatMap((boxes, image) => [
      tf.tensor3d(samplingWeights(boxes, 1, height, options), [counts[image]!, resolution, height]),
      tf.tensor3d(samplingWeights(boxes, 0, width, options), [counts[image]!, resolution, width]),
    ]);
    const value = tf.tidy(() => {
      const aligned = rois.map((_, image) =>
        sampleMap(mapOf(maps, image), weights[2 * image]!, weights[2 * image + 1]!),
      );
      return tf.concat4d(aligned, 0);
    });
    save(weights);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.tidy(() => {
          const ofImages = tf.split<tf.Tensor4D>(dy, counts, 0);
          const gradients = ofImages.map((gradient, image) =>
            sampleMapGradient(gradient, saved[2 * image] as tf.Tensor3D, saved[2 * image + 1] as tf.Tensor3D, channels),
          );
          return tf.stack(gradients);
        }),
    };
  });
  return align(features);
}

function mapOf(maps: tf.Tensor4D, image: number): tf.Tensor3D {
  const [, height, width, channels] = maps.shape;
  return tf.slice4d(maps, [image, 0, 0, 0], [1, height, width, channels]).as3D(height, width, channels);
}

/** How many numbers the larger product over some regions may have, 256 MB: those of all regions at once would not fit. */
const numbersAtOnce = 2 ** 26;

/** Ay X Ax' for each RoI: X is [H, W, C], Ay [R, P, H] and Ax [R, P, W]; the result is [R, P, P, C]. */
function sampleMap(x: tf.Tensor3D, rows: tf.Tensor3D, columns: tf.Tensor3D): tf.Tensor4D {
  const [height, width, channels] = x.shape;
  const [count, resolution] = rows.shape;
  if (count === 0) return tf.zeros([0, resolution, resolution, channels]);
  const parts = partsOf(rows, columns, channels).map((part) =>
    // Inside a tidy of its own: the first product is larger than the result, and no gradient needs it.
    tf.tidy(() => {
      const { size, ofRows, ofColumns } = weightsOf(part, rows, columns);
      const sampled = tf.matMul(ofRows.as2D(size * resolution, height), x.as2D(height, width * channels));
      return tf.matMul<tf.Tensor4D>(
        ofColumns.as4D(size, 1, resolution, width),
        sampled.as4D(size, resolution, width, channels),
      );
    }),
  );
  return parts.length === 1 ? parts[0]! : tf.concat4d(parts, 0);
}

/** Ay' dY Ax, summed over the RoIs of one image: [H, W, C]. */
function sampleMapGradient(dy: tf.Tensor4D, rows: tf.Tensor3D, columns: tf.Tensor3D, channels: number): tf.Tensor3D {
  const [count, resolution, height] = rows.shape;
  const width = columns.shape[2];
  if (count === 0) return tf.zeros([height, width, channels]);
  return tf.tidy(() => {
    const parts = partsOf(rows, columns, channels).map((part) =>
      tf.tidy(() => {
        const { first, size, ofRows, ofColumns } = weightsOf(part, rows, columns);
        const gradient = tf.slice4d(dy, [first, 0, 0, 0], [size, resolution, resolution, channels]);
        const spread = tf.matMul(ofColumns.as4D(size, 1, resolution, width), gradient, true);
        const flat = spread.as2D(size * resolution, width * channels);
        return tf.matMul(ofRows.as2D(size * resolution, height), flat, true);
      }),
    );
    return tf.addN(parts).as3D(height, width, channels);
  });
}

/** Regions that are computed at once: the first, and how many. */
interface RegionPart {
  readonly first: number;
  readonly size: number;
}

function partsOf(rows: tf.Tensor3D, columns: tf.Tensor3D, channels: number): RegionPart[] {
  const [count, resolution] = rows.shape;
  const largest = Math.max(1, Math.floor(numbersAtOnce / (resolution * columns.shape[2] * channels)));
  return Array.from({ length: Math.ceil(count / largest) }, (_, part) => {
    const first = part * largest;
    return { first, size: Math.min(largest, count - first) };
  });
}

/** The part with its share of the weights. */
function weightsOf({ first, size }: RegionPart, rows: tf.Tensor3D, columns: tf.Tensor3D) {
  const of = (weights: tf.Tensor3D) =>
    tf.slice3d(weights, [first, 0, 0], [size, ...weights.shape.slice(1)] as typeof weights.shape);
  return { first, size, ofRows: of(rows), ofColumns: of(columns) };
}

/**
 * Weights with which the cells of one axis go into the bins, [R, resolution, length] in one array.
 *
 * @param axis - 0 for x, 1 for y
 * @param length - of the feature map along the axis
 */
function samplingWeights(boxes: Boxes, axis: 0 | 1, length: number, options: RoiAlignOptions): Float32Array {
  const { resolution, scale, samplingRatio } = options;
  const weights = new Float32Array(boxCount(boxes) * resolution * length);
  for (let roi = 0; roi < boxCount(boxes); roi++) {
    // Half a cell back: continuous coordinates have their integers between the cells, indices on them.
    const start = boxes[4 * roi + axis]! * scale - 0.5;
    const bin = (boxes[4 * roi + axis + 2]! * scale - 0.5 - start) / resolution;
    const samples = samplingRatio > 0 ? samplingRatio : Math.ceil(bin);
    for (let index = 0; index < resolution; index++) {
      const offset = (roi * resolution + index) * length;
      for (let sample = 0; sample < samples; sample++) {
        const place = start + index * bin + ((sample + 0.5) * bin) / samples;
        if (place < -1 || place > length) continue;
        const inside = Math.min(Math.max(place, 0), length - 1);
        const low = Math.floor(inside);
        const share = inside - low;
        weights[offset + low]! += (1 - share) / samples;
        if (share > 0) weights[offset + low + 1]! += share / samples;
      }
    }
  }
  return weights;
}
