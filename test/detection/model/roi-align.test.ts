import { describe, expect, it } from "vitest";
import { boxCount, type Boxes } from "../../../src/detection/structures/boxes";
import { alignRegions, weightTensors, type RoiAlignOptions } from "../../../src/detection/model/roi-align";
import { tf } from "../../../src/engine/tf";
import {
  directionalError,
  randomDoubles,
  relativeError,
  toTensor,
  weightedGradients,
  type Doubles,
} from "../../engine/double-precision";
import { hashed, sampled } from "../../weights/hashed";
import fixture from "../fixtures/roi-align.json";

const { height, width, channels } = fixture;
const scale = 1 / 16;

/** All regions of each image on one map. */
function roiAlign(features: tf.Tensor4D, rois: readonly Boxes[], options: RoiAlignOptions): tf.Tensor4D {
  return tf.tidy(() => {
    const [, height, width] = features.shape;
    let first = 0;
    const regions = rois.map((boxes) => {
      const places = tf.range(first, (first += boxCount(boxes)), 1, "int32");
      return { ...weightTensors(boxes, { height, width }, options), places };
    });
    const most = Math.max(1, ...rois.map(boxCount));
    return alignRegions([features], [regions], tf.range(0, first, 1, "int32"), most);
  });
}

describe("RoIAlign", () => {
  it.each(fixture.cases)("has torchvision's values and gradients: $name", (one) => {
    const { seed, resolution, samplingRatio, output, gradient } = one;
    const rois = one.rois.map((boxes) => Float32Array.from(boxes));
    const count = rois.reduce((sum, boxes) => sum + boxes.length / 4, 0);
    tf.tidy(() => {
      const x = tf.tensor4d(hashed(seed, 2 * height * width * channels, -1, 1), [2, height, width, channels]);
      const align = (input: tf.Tensor) =>
        roiAlign(input as tf.Tensor4D, rois, { resolution, scale, samplingRatio }) as tf.Tensor;
      const y = align(x);
      expect(y.shape).toEqual([count, resolution, resolution, channels]);
      const values = y.dataSync<"float32">();
      expect(relativeError(resolution === 14 ? sampled(values) : values, output)).toBeLessThan(1e-5);
      const weights = tf.tensor(hashed(400, y.size, -1, 1), y.shape);
      let first: Float32Array | undefined;
      for (let repeat = 0; repeat < 5; repeat++) {
        const ours = weightedGradients(align, [x], weights)[0]!.dataSync<"float32">();
        expect(relativeError(ours, gradient)).toBeLessThan(1e-5);
        first ??= ours;
        expect(ours).toEqual(first);
      }
    });
  });

  it.each([0, 1, 2, 3])("has the values of sample after sample and their central differences: ratio %i", (ratio) => {
    const rois = [
      Float32Array.of(3, 5, 60, 40, -20, -20, 30, 300, 10, 10, 10.2, 10.1),
      Float32Array.of(0, 0, 80, 64, 70, 50, 100, 90),
    ];
    const options = { resolution: 3, scale: 1 / 8, samplingRatio: ratio };
    const input = randomDoubles([2, 8, 10, 3], "features");
    const weights = randomDoubles([5, 3, 3, 3], "weights");
    const reference = ([x]: readonly Doubles[]) => sampleBySample(x!, rois, options);
    tf.tidy(() => {
      const align = (x: tf.Tensor) => roiAlign(x as tf.Tensor4D, rois, options) as tf.Tensor;
      expect(relativeError(align(toTensor(input)).dataSync(), reference([input]))).toBeLessThan(1e-5);
      const gradients = weightedGradients(align, [toTensor(input)], toTensor(weights));
      expect(directionalError(reference, [input], weights, gradients)).toBeLessThan(1e-5);
    });
  });

  it("gives nothing, with a gradient of 0, where no image has a region", () => {
    tf.tidy(() => {
      const x = tf.ones<tf.Rank.R4>([2, 4, 5, 3]);
      const none = [new Float32Array(0), new Float32Array(0)];
      const y = roiAlign(x, none, { resolution: 7, scale, samplingRatio: 0 });
      expect(y.shape).toEqual([0, 7, 7, 3]);
      const align = (input: tf.Tensor) =>
        roiAlign(input as tf.Tensor4D, none, { resolution: 7, scale, samplingRatio: 0 }) as tf.Tensor;
      const [gradient] = weightedGradients(align, [x], tf.zeros([0, 7, 7, 3]));
      expect(gradient!.shape).toEqual(x.shape);
      expect(Math.max(...gradient!.dataSync())).toBe(0);
    });
  });

  it("gives an image by itself the values and gradients that it has in a batch", () => {
    const boxes = Float32Array.of(3, 5, 60, 40, 20, 0, 70, 64);
    const options = { resolution: 3, scale: 1 / 8, samplingRatio: 0 };
    tf.tidy(() => {
      const x = toTensor<tf.Tensor4D>(randomDoubles([1, 8, 10, 3], "features"));
      const weights = toTensor<tf.Tensor4D>(randomDoubles([2, 3, 3, 3], "weights"));
      const alone = (input: tf.Tensor) => roiAlign(input as tf.Tensor4D, [boxes], options) as tf.Tensor;
      const second = (input: tf.Tensor) =>
        roiAlign(tf.concat([tf.ones([1, 8, 10, 3]), input]) as tf.Tensor4D, [boxes.subarray(0, 0), boxes], options);
      expect(alone(x).dataSync()).toEqual(second(x).dataSync());
      const [ours] = weightedGradients(alone, [x], weights);
      const [inBatch] = weightedGradients(second, [x], weights);
      expect(ours!.dataSync()).toEqual(inBatch!.dataSync());
    });
  });

  it("of more regions than are computed at once is that of each by itself, in values and gradients", () => {
    // 200 x 7 x 100 numbers a channel: 119 of 512 channels at once, and 239 where there are half as many regions.
    const x = toTensor<tf.Tensor4D>(randomDoubles([1, 6, 100, 512], "wide features"));
    const boxes = Float32Array.from({ length: 4 * 200 }, (_, at) => [at % 90, 1, (at % 90) + 9, 5][at % 4]!);
    const align = (from: number, to: number) => (input: tf.Tensor) =>
      roiAlign(input as tf.Tensor4D, [boxes.subarray(4 * from, 4 * to)], { resolution: 7, scale: 1, samplingRatio: 1 });
    const measure = (from: number, to: number) => {
      const gradient = tf.grad((input) => tf.sum(tf.square(align(from, to)(input))))(x);
      const values = align(from, to)(x);
      const result = { values: values.dataSync<"float32">(), gradient: gradient.dataSync<"float32">() };
      tf.dispose([gradient, values]);
      return result;
    };
    const [whole, first, second] = [measure(0, 200), measure(0, 100), measure(100, 200)];
    expect(relativeError(whole.values, [...first.values, ...second.values])).toBeLessThan(1e-6);
    const sum = first.gradient.map((value, at) => value + second.gradient[at]!);
    expect(relativeError(whole.gradient, sum)).toBeLessThan(1e-5);
    x.dispose();
  });

  it("leaves no tensor but its result", () => {
    const x = toTensor<tf.Tensor4D>(randomDoubles([2, 8, 10, 3], "features"));
    const rois = [Float32Array.of(3, 5, 60, 40), Float32Array.of(0, 0, 80, 64, 1, 2, 3, 4)];
    const align = (input: tf.Tensor) =>
      roiAlign(input as tf.Tensor4D, rois, { resolution: 3, scale: 1 / 8, samplingRatio: 0 }) as tf.Tensor;
    const before = tf.memory().numTensors;
    align(x).dispose();
    expect(tf.memory().numTensors).toBe(before);
    const weights = tf.ones([3, 3, 3, 3]);
    tf.dispose([weightedGradients(align, [x], weights), weights]);
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });
});

/** The definition: each bin is the mean of bilinear samples, each read by itself. */
function sampleBySample(x: Doubles, rois: readonly Boxes[], options: RoiAlignOptions): Float64Array {
  const { resolution, samplingRatio } = options;
  const [, rows, columns, depth] = x.shape as [number, number, number, number];
  const output: number[] = [];
  const read = (image: number, y: number, left: number, channel: number) => {
    if (y < -1 || y > rows || left < -1 || left > columns) return 0;
    const [cy, cx] = [Math.max(y, 0), Math.max(left, 0)];
    const [y0, x0] = [Math.min(Math.floor(cy), rows - 1), Math.min(Math.floor(cx), columns - 1)];
    const [y1, x1] = [Math.min(y0 + 1, rows - 1), Math.min(x0 + 1, columns - 1)];
    const [fy, fx] = [y0 === rows - 1 ? 0 : cy - y0, x0 === columns - 1 ? 0 : cx - x0];
    const at = (row: number, column: number) => x.values[((image * rows + row) * columns + column) * depth + channel]!;
    return (1 - fy) * ((1 - fx) * at(y0, x0) + fx * at(y0, x1)) + fy * ((1 - fx) * at(y1, x0) + fx * at(y1, x1));
  };
  rois.forEach((boxes, image) => {
    for (let box = 0; box < boxes.length; box += 4) {
      const [x1, y1, x2, y2] = [0, 1, 2, 3].map((corner) => boxes[box + corner]! * options.scale - 0.5) as [
        number,
        number,
        number,
        number,
      ];
      const [binHeight, binWidth] = [(y2 - y1) / resolution, (x2 - x1) / resolution];
      const [ny, nx] = samplingRatio > 0 ? [samplingRatio, samplingRatio] : [Math.ceil(binHeight), Math.ceil(binWidth)];
      for (let row = 0; row < resolution; row++) {
        for (let column = 0; column < resolution; column++) {
          for (let channel = 0; channel < depth; channel++) {
            let sum = 0;
            for (let iy = 0; iy < ny; iy++) {
              for (let ix = 0; ix < nx; ix++) {
                const y = y1 + binHeight * (row + (iy + 0.5) / ny);
                const left = x1 + binWidth * (column + (ix + 0.5) / nx);
                sum += read(image, y, left, channel);
              }
            }
            output.push(sum / Math.max(ny * nx, 1));
          }
        }
      }
    }
  });
  return Float64Array.from(output);
}
