import { describe, expect, it } from "vitest";
import { conv2d, type ConvolutionGeometry } from "../../src/engine/convolution";
import { tf } from "../../src/engine/tf";
import { hashed, hashedImages } from "../weights/hashed";
import {
  directionalError,
  dot,
  randomDoubles,
  relativeError,
  toTensor,
  weightedGradients,
  type Doubles,
} from "./double-precision";
import fixture from "./fixtures/pytorch.json";

// Every geometry that a ResNet has, odd and even sizes, and a few that it has not.
const geometries = [
  { size: 8, kernel: 1, stride: 1, padding: 0 },
  { size: 9, kernel: 1, stride: 2, padding: 0 },
  { size: 8, kernel: 1, stride: 2, padding: 0 },
  { size: 9, kernel: 3, stride: 1, padding: 1 },
  { size: 12, kernel: 3, stride: 2, padding: 1 },
  { size: 9, kernel: 3, stride: 2, padding: 1 },
  { size: 8, kernel: 3, stride: 1, padding: 0 },
  { size: 8, kernel: 3, stride: 1, padding: 3 },
  { size: 16, kernel: 7, stride: 2, padding: 3 },
  { size: 11, kernel: 7, stride: 1, padding: 3 },
  // The last stages of small images: maps smaller than the kernel.
  { size: 2, kernel: 3, stride: 2, padding: 1 },
  { size: 2, kernel: 3, stride: 1, padding: 1 },
  { size: 1, kernel: 3, stride: 1, padding: 1 },
  { size: 2, kernel: 1, stride: 2, padding: 0 },
];

describe.each(geometries)("conv2d, $size px, kernel $kernel, stride $stride, padding $padding", (geometry) => {
  const { size, kernel, stride, padding } = geometry;
  const input = randomDoubles([4, size, size, 3], "input");
  const filter = randomDoubles([kernel, kernel, 3, 5], "filter");
  const side = sideAfter(size, kernel, geometry);
  const weights = randomDoubles([4, side, side, 5], "weights");
  const reference = ([x, w]: readonly Doubles[]) => convolveInDoubles(x!, w!, { stride, padding });
  const fused = (x: tf.Tensor, w: tf.Tensor) => conv2d(x as tf.Tensor4D, w as tf.Tensor4D, { stride, padding });
  const plain = (x: tf.Tensor, w: tf.Tensor) => {
    if (kernel === 1 && stride > 1) {
      // oneDNN's own gradient of it ends the process sooner or later: pooling takes the pixels.
      return tf.conv2d(tf.avgPool(x as tf.Tensor4D, 1, stride, "valid"), w as tf.Tensor4D, 1, "valid");
    }
    const around: [number, number] = [padding, padding];
    return tf.conv2d(tf.pad(x as tf.Tensor4D, [[0, 0], around, around, [0, 0]]), w as tf.Tensor4D, stride, "valid");
  };

  it("gives what plain tfjs and a loop in doubles give", () => {
    tf.tidy(() => {
      const y = fused(toTensor(input), toTensor(filter));
      expect(y.shape).toEqual([4, side, side, 5]);
      expect(relativeError(y.dataSync(), plain(toTensor(input), toTensor(filter)).dataSync())).toBeLessThan(1e-6);
      expect(relativeError(y.dataSync(), reference([input, filter]))).toBeLessThan(1e-6);
    });
  });

  it("has the gradients of plain tfjs and of central differences, each time", () => {
    tf.tidy(() => {
      const inputs = [toTensor(input), toTensor(filter)];
      const expected = weightedGradients(plain, inputs, toTensor(weights)).map((gradient) => gradient.dataSync());
      let first: Float32Array[] | undefined;
      for (let repeat = 0; repeat < 5; repeat++) {
        const gradients = weightedGradients(fused, inputs, toTensor(weights));
        const values = gradients.map((gradient) => gradient.dataSync<"float32">());
        values.forEach((value, index) => expect(relativeError(value, expected[index]!)).toBeLessThan(2e-6));
        if (first === undefined) {
          first = values;
          expect(directionalError(reference, [input, filter], weights, gradients)).toBeLessThan(2e-6);
        }
        expect(values).toEqual(first);
      }
    });
  });
});

// What ResNeXt and a dilated last stage need, odd and even sizes, maps smaller than the filter, and both at once.
const groupedAndDilated = [
  { size: 8, kernel: 3, stride: 1, padding: 1, groups: 4, dilation: 1, channels: [8, 8] },
  { size: 9, kernel: 3, stride: 2, padding: 1, groups: 4, dilation: 1, channels: [8, 8] },
  { size: 8, kernel: 3, stride: 2, padding: 1, groups: 32, dilation: 1, channels: [64, 64] },
  { size: 6, kernel: 3, stride: 1, padding: 1, groups: 8, dilation: 1, channels: [8, 8] },
  { size: 7, kernel: 1, stride: 1, padding: 0, groups: 3, dilation: 1, channels: [6, 9] },
  { size: 1, kernel: 3, stride: 1, padding: 1, groups: 4, dilation: 1, channels: [8, 12] },
  { size: 9, kernel: 3, stride: 1, padding: 2, groups: 1, dilation: 2, channels: [3, 5] },
  { size: 10, kernel: 3, stride: 1, padding: 4, groups: 1, dilation: 4, channels: [3, 5] },
  { size: 10, kernel: 3, stride: 2, padding: 2, groups: 1, dilation: 2, channels: [3, 5] },
  { size: 9, kernel: 3, stride: 1, padding: 0, groups: 1, dilation: 3, channels: [3, 5] },
  { size: 3, kernel: 3, stride: 1, padding: 2, groups: 1, dilation: 2, channels: [3, 5] },
  { size: 9, kernel: 3, stride: 1, padding: 2, groups: 2, dilation: 2, channels: [4, 6] },
  // An odd batch and few channels: where oneDNN's own gradient of a 1x1 filter with a stride ends the process.
  { size: 16, kernel: 1, stride: 2, padding: 0, groups: 1, dilation: 1, channels: [8, 16] },
];

describe.each(groupedAndDilated)(
  "conv2d, $size px, kernel $kernel, stride $stride, padding $padding, groups $groups, dilation $dilation",
  ({ size, kernel, groups, channels, ...geometry }) => {
    const [channelsIn, channelsOut] = channels as [number, number];
    const input = randomDoubles([3, size, size, channelsIn], "input");
    const filter = randomDoubles([kernel, kernel, channelsIn / groups, channelsOut], "filter");
    const side = sideAfter(size, kernel, geometry);
    const weights = randomDoubles([3, side, side, channelsOut], "weights");
    const reference = ([x, w]: readonly Doubles[]) => convolveInDoubles(x!, w!, geometry);
    const operation = (x: tf.Tensor, w: tf.Tensor) => conv2d(x as tf.Tensor4D, w as tf.Tensor4D, geometry);

    it("gives what a loop in doubles gives", () => {
      tf.tidy(() => {
        const y = operation(toTensor(input), toTensor(filter));
        expect(y.shape).toEqual([3, side, side, channelsOut]);
        expect(relativeError(y.dataSync(), reference([input, filter]))).toBeLessThan(1e-6);
      });
    });

    it("has the gradients of central differences and is its gradients' adjoint, each time", () => {
      tf.tidy(() => {
        const inputs = [toTensor(input), toTensor(filter)];
        const loss = dot(reference([input, filter]), weights.values);
        const scale = Math.sqrt(dot(weights.values, weights.values));
        let first: Float32Array[] | undefined;
        for (let repeat = 0; repeat < 10; repeat++) {
          const gradients = weightedGradients(operation, inputs, toTensor(weights));
          const values = gradients.map((gradient) => gradient.dataSync<"float32">());
          // Linear in either input: <y(x, w), dy> = <x, dx> = <w, dw>.
          expect(Math.abs(dot(values[0]!, input.values) - loss) / scale).toBeLessThan(1e-5);
          expect(Math.abs(dot(values[1]!, filter.values) - loss) / scale).toBeLessThan(1e-5);
          if (first === undefined) {
            first = values;
            expect(directionalError(reference, [input, filter], weights, gradients)).toBeLessThan(2e-6);
          }
          expect(values).toEqual(first);
        }
      });
    });
  },
);

describe("conv2d", () => {
  it.each(fixture.groupedConvolutions)(
    "and its gradients are PyTorch's: $size px, stride $stride, groups $groups, dilation $dilation",
    ({ size, channels, groups, output, gradients, ...geometry }) => {
      const index = fixture.groupedConvolutions.findIndex((other) => other.output === output);
      const seed = 40 + 3 * index;
      tf.tidy(() => {
        const torchFilter = hashed(seed + 1, (channels * channels * 9) / groups, -1, 1);
        const filter = tf.tensor4d(torchFilter, [channels, channels / groups, 3, 3]).transpose([2, 3, 1, 0]);
        const inputs = [hashedImages(seed, 2, size, channels), filter];
        const operation = (x: tf.Tensor, w: tf.Tensor) => conv2d(x as tf.Tensor4D, w as tf.Tensor4D, geometry);
        expect(relativeError(operation(inputs[0]!, filter).dataSync(), output)).toBeLessThan(1e-6);
        const weights = hashedImages(seed + 2, 2, sideAfter(size, 3, geometry), channels);
        for (let repeat = 0; repeat < 5; repeat++) {
          const [dx, dw] = weightedGradients(operation, inputs, weights) as [tf.Tensor, tf.Tensor];
          expect(relativeError(dx.dataSync(), gradients.x)).toBeLessThan(1e-6);
          expect(relativeError(dw.transpose([3, 2, 0, 1]).dataSync(), gradients.filter)).toBeLessThan(1e-6);
        }
      });
    },
  );

  it("refuses channels that are no whole number of groups", () => {
    tf.tidy(() => {
      const geometry = { stride: 1, padding: 1 };
      expect(() => conv2d(tf.ones([1, 4, 4, 6]), tf.ones([3, 3, 4, 6]), geometry)).toThrow(/depth/);
      expect(() => conv2d(tf.ones([1, 4, 4, 6]), tf.ones([3, 3, 2, 4]), geometry)).toThrow(/group/);
    });
  });

  it.each(fixture.convolutions)(
    "pads on both sides as PyTorch does: $size px, kernel $kernel, stride $stride",
    ({ size, kernel, stride, padding, output }) => {
      const index = fixture.convolutions.findIndex((other) => other.output === output);
      const y = tf.tidy(() => {
        const torchFilter = tf.tensor4d(hashed(2 * index + 1, 3 * 2 * kernel * kernel, -1, 1), [3, 2, kernel, kernel]);
        const filter = tf.transpose(torchFilter, [2, 3, 1, 0]);
        return conv2d(hashedImages(2 * index, 1, size, 2), filter, { stride, padding }).dataSync();
      });
      expect(relativeError(y, output)).toBeLessThan(1e-6);
    },
  );

  it("gives the same bits each time on all cores", () => {
    tf.tidy(() => {
      const inputs = [randomDoubles([16, 16, 16, 16], "large"), randomDoubles([3, 3, 16, 16], "filter")].map(
        (doubles) => toTensor(doubles),
      );
      const weights = tf.randomNormal([16, 16, 16, 16], 0, 1, "float32", 1);
      const run = () =>
        weightedGradients(
          (x, w) => conv2d(x as tf.Tensor4D, w as tf.Tensor4D, { stride: 1, padding: 1 }),
          inputs,
          weights,
        ).map((gradient) => gradient.dataSync());
      const first = run();
      for (let repeat = 0; repeat < 10; repeat++) expect(run()).toEqual(first);
    });
  });

  // A gradient that writes beyond its memory ends the process sooner or later, as that of oneDNN did here.
  it("keeps to its memory where a 1x1 filter skips pixels", () => {
    const geometry = { stride: 2, padding: 0 };
    for (let repeat = 0; repeat < 40; repeat++) {
      tf.tidy(() => {
        const inputs = [tf.ones([4, 64, 64, 8]), tf.ones([1, 1, 8, 16])];
        const weights = tf.ones([4, 32, 32, 16]);
        const [input, filter] = weightedGradients(
          (x, w) => conv2d(x as tf.Tensor4D, w as tf.Tensor4D, geometry),
          inputs,
          weights,
        ).map((gradient) => tf.sum(gradient).arraySync());
        expect(input).toBe(16 * 8 * 4 * 32 * 32);
        expect(filter).toBe(16 * 8 * 4 * 32 * 32);
      });
    }
  });

  it("leaves no tensor but its result", () => {
    const inputs = [
      toTensor<tf.Tensor4D>(randomDoubles([2, 8, 8, 3], "x")),
      toTensor<tf.Tensor4D>(randomDoubles([3, 3, 3, 4], "w")),
    ];
    const before = tf.memory().numTensors;
    const geometry = { stride: 2, padding: 1 };
    conv2d(inputs[0]!, inputs[1]!, geometry).dispose();
    const weights = tf.ones([2, 4, 4, 4]);
    tf.dispose(weightedGradients((x, w) => conv2d(x as tf.Tensor4D, w as tf.Tensor4D, geometry), inputs, weights));
    weights.dispose();
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose(inputs);
  });
});

function sideAfter(size: number, kernel: number, geometry: ConvolutionGeometry): number {
  const { stride, padding, dilation = 1 } = geometry;
  return Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

function convolveInDoubles(x: Doubles, filter: Doubles, geometry: ConvolutionGeometry): Float64Array {
  const { stride, padding, dilation = 1 } = geometry;
  const [count, height, width, channels] = x.shape as [number, number, number, number];
  const [kernel, , groupChannels, channelsOut] = filter.shape as [number, number, number, number];
  const outputsPerGroup = (channelsOut * groupChannels) / channels;
  const [rows, columns] = [sideAfter(height, kernel, geometry), sideAfter(width, kernel, geometry)];
  const output = new Float64Array(count * rows * columns * channelsOut);
  for (let image = 0; image < count; image++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const target = ((image * rows + row) * columns + column) * channelsOut;
        for (let dy = 0; dy < kernel; dy++) {
          const y = row * stride + dy * dilation - padding;
          if (y < 0 || y >= height) continue;
          for (let dx = 0; dx < kernel; dx++) {
            const left = column * stride + dx * dilation - padding;
            if (left < 0 || left >= width) continue;
            const source = ((image * height + y) * width + left) * channels;
            for (let out = 0; out < channelsOut; out++) {
              const group = Math.floor(out / outputsPerGroup) * groupChannels;
              for (let channel = 0; channel < groupChannels; channel++) {
                const weight = ((dy * kernel + dx) * groupChannels + channel) * channelsOut + out;
                output[target + out]! += x.values[source + group + channel]! * filter.values[weight]!;
              }
            }
          }
        }
      }
    }
  }
  return output;
}
