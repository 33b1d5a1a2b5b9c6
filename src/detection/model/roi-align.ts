import { gatherRows } from "../../engine/gather-rows";
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

/** The regions of one image that are aligned on one map. */
export interface RegionsOnMap {
  /** With which weights the map's rows go into the bins: Ay, [R, resolution, H]. */
  readonly rows: tf.Tensor3D;
  /** The same of its columns: Ax, [R, resolution, W]. */
  readonly columns: tf.Tensor3D;
  /** Where the regions stand in the output, int32 [R]. */
  readonly places: tf.Tensor1D;
}

/**
 * RoIAlign (Mask R-CNN, section 3) in its aligned form, detectron2's ROIAlignV2: a pixel's value stands at its center.
 * Each bin is the mean of bilinear samples; a sample more than one cell outside the map is 0.
 *
 * Bilinear sampling is separable: the output is Ay X Ax' with a matrix of weights for the rows and one for the columns of
 * each RoI. Two matrix products take a fraction of the time of gathering samples, and so do their gradients. They do the
 * same for any number of regions, none too, so that they can be recorded.
 *
 * @param maps - [N, H, W, C] each
 * @param regions - of each map those of each of the N images
 * @param order - where each region of the output stands among those of the maps, image after image, int32 [all]
 * @param mostRegions - of an image; how much is computed at once goes by it
 * @returns [all, resolution, resolution, C]; without gradient to the boxes
 */
export function alignRegions(
  maps: readonly tf.Tensor4D[],
  regions: readonly (readonly RegionsOnMap[])[],
  order: tf.Tensor1D,
  mostRegions: number,
): tf.Tensor4D {
  const align = tf.customGrad((...inputs) => {
    const xs = inputs.slice(0, maps.length) as unknown as tf.Tensor4D[];
    const save = inputs.at(-1) as unknown as tf.GradSaveFunc;
    save(regions.flat().flatMap(({ rows, columns, places }) => [rows, columns, places]));
    return {
      value: tf.tidy(() => {
        const aligned = regions.flatMap((ofImages, map) =>
          ofImages.map((one, image) => sampleMap(mapOf(xs[map]!, image), one, mostRegions)),
        );
        return gatherRows(tf.concat4d(aligned, 0), order);
      }),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        let first = 0;
        return regions.map((ofImages, map) =>
          tf.tidy(() =>
            tf.stack(
              ofImages.map(() => {
                const [rows, columns, places] = saved.slice(first, (first += 3)) as [
                  tf.Tensor3D,
                  tf.Tensor3D,
                  tf.Tensor1D,
                ];
                const own = gatherRows(dy as tf.Tensor4D, places);
                return sampleMapGradient(own, rows, columns, maps[map]!.shape[3], mostRegions);
              }),
            ),
          ),
        );
      },
    };
  });
  return align(...maps);
}

/** The weights of boxes on a map of some size. */
export function weightTensors(
  boxes: Boxes,
  { height, width }: { readonly height: number; readonly width: number },
  options: RoiAlignOptions,
): Pick<RegionsOnMap, "rows" | "columns"> {
  const [count, { resolution }] = [boxCount(boxes), options];
  return {
    rows: tf.tensor3d(samplingWeights(boxes, 1, height, options), [count, resolution, height]),
    columns: tf.tensor3d(samplingWeights(boxes, 0, width, options), [count, resolution, width]),
  };
}

function mapOf(maps: tf.Tensor4D, image: number): tf.Tensor3D {
  const [, height, width, channels] = maps.shape;
  return tf.slice4d(maps, [image, 0, 0, 0], [1, height, width, channels]).as3D(height, width, channels);
}

/** Ay X Ax' for each region: X is [H, W, C]; the result is [R, P, P, C]. */
function sampleMap(x: tf.Tensor3D, { rows, columns }: RegionsOnMap, mostRegions: number): tf.Tensor4D {
  const [height, width, channels] = x.shape;
  const [count, resolution] = rows.shape;
  const parts = channelParts(mostRegions * resolution * width, channels).map(({ first, size }) =>
    // Inside a tidy of its own: the first product is larger than the result, and no gradient needs it.
    tf.tidy(() => {
      const some = size === channels ? x : tf.slice3d(x, [0, 0, first], [height, width, size]);
      const sampled = tf.matMul(rows.as2D(count * resolution, height), some.as2D(height, width * size));
      return tf.matMul<tf.Tensor4D>(
        columns.as4D(count, 1, resolution, width),
        sampled.as4D(count, resolution, width, size),
      );
    }),
  );
  return parts.length === 1 ? parts[0]! : tf.concat4d(parts, 3);
}

/** Ay' dY Ax, summed over the regions of one image: [H, W, C]. */
function sampleMapGradient(
  dy: tf.Tensor4D,
  rows: tf.Tensor3D,
  columns: tf.Tensor3D,
  channels: number,
  mostRegions: number,
): tf.Tensor3D {
  const [count, resolution, height] = rows.shape;
  const width = columns.shape[2];
  const parts = channelParts(mostRegions * resolution * width, channels).map(({ first, size }) =>
    tf.tidy(() => {
      const some = size === channels ? dy : tf.slice4d(dy, [0, 0, 0, first], [count, resolution, resolution, size]);
      const spread = tf.matMul(columns.as4D(count, 1, resolution, width), some, true);
      const flat = spread.as2D(count * resolution, width * size);
      return tf.matMul(rows.as2D(count * resolution, height), flat, true).as3D(height, width, size);
    }),
  );
  return parts.length === 1 ? parts[0]! : tf.concat3d(parts, 2);
}

/** How many numbers the larger product may have, 64 MB: that of all channels of all regions would be most of a step's memory. */
const numbersAtOnce = 2 ** 24;

/** Channels that are computed at once: the first, and how many. */
function channelParts(numbersOfChannel: number, channels: number): { readonly first: number; readonly size: number }[] {
  const largest = Math.min(channels, Math.max(1, Math.floor(numbersAtOnce / numbersOfChannel)));
  return Array.from({ length: Math.ceil(channels / largest) }, (_, part) => {
    const first = part * largest;
    return { first, size: Math.min(largest, channels - first) };
  });
}

/**
 * Weights with which the cells of one axis go into the bins, [R, resolution, length] in one array.
 *
 * @param axis - 0 for x, 1 for y
 * @param length - of the feature map along the axis
 */
export function samplingWeights(boxes: Boxes, axis: 0 | 1, length: number, options: RoiAlignOptions): Float32Array {
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
