import { describe, expect, it } from "vitest";
import { conv2d } from "../../src/engine/convolution";
import { tf } from "../../src/engine/tf";
import { hashed, hashedImages } from "../nn/hashed";
import {
  directionalError,
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
  // The last stages of small pictures: maps smaller than the kernel.
  { size: 2, kernel: 3, stride: 2, padding: 1 },
  { size: 2, kernel: 3, stride: 1, padding: 1 },
  { size: 1, kernel: 3, stride: 1, padding: 1 },
  { size: 2, kernel: 1, stride: 2, padding: 0 },
];

describe.each(geometries)("conv2d, $size px, kernel $kernel, stride $stride, padding $padding", (geometry) => {
  const { size, kernel, stride, padding } = geometry;
  const input = randomDoubles([4, size, size, 3], "input");
  const filter = randomDoubles([kernel, kernel, 3, 5], "filter");
  const side = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  const weights = randomDoubles([4, side, side, 5], "weights");
  const reference = ([x, w]: readonly Doubles[]) => convolveInDoubles(x!, w!, stride, padding);
  const fused = (x: tf.Tensor, w: tf.Tensor) => conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, padding);
  const plain = (x: tf.Tensor, w: tf.Tensor) => {
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

describe("conv2d", () => {
  it.each(fixture.convolutions)(
    "pads on both sides as PyTorch does: $size px, kernel $kernel, stride $stride",
    ({ size, kernel, stride, padding, output }) => {
      const index = fixture.convolutions.findIndex((other) => other.output === output);
      const y = tf.tidy(() => {
        const torchFilter = tf.tensor4d(hashed(2 * index + 1, 3 * 2 * kernel * kernel, -1, 1), [3, 2, kernel, kernel]);
        const filter = tf.transpose(torchFilter, [2, 3, 1, 0]);
        return conv2d(hashedImages(2 * index, 1, size, 2), filter, stride, padding).dataSync();
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
        weightedGradients((x, w) => conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 1), inputs, weights).map((gradient) =>
          gradient.dataSync(),
        );
      const first = run();
      for (let repeat = 0; repeat < 10; repeat++) expect(run()).toEqual(first);
    });
  });

  it("leaves no tensor but its result", () => {
    const inputs = [
      toTensor<tf.Tensor4D>(randomDoubles([2, 8, 8, 3], "x")),
      toTensor<tf.Tensor4D>(randomDoubles([3, 3, 3, 4], "w")),
    ];
    const before = tf.memory().numTensors;
    conv2d(inputs[0]!, inputs[1]!, 2, 1).dispose();
    const weights = tf.ones([2, 4, 4, 4]);
    tf.dispose(weightedGradients((x, w) => conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 1), inputs, weights));
    weights.dispose();
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose(inputs);
  });
});

function convolveInDoubles(x: Doubles, filter: Doubles, stride: number, padding: number): Float64Array {
  const [count, height, width, channels] = x.shape as [number, number, number, number];
  const [kernel, , , channelsOut] = filter.shape as [number, number, number, number];
  const side = (size: number) => Math.floor((size + 2 * padding - kernel) / stride) + 1;
  const [rows, columns] = [side(height), side(width)];
  const output = new Float64Array(count * rows * columns * channelsOut);
  for (let picture = 0; picture < count; picture++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const target = ((picture * rows + row) * columns + column) * channelsOut;
        for (let dy = 0; dy < kernel; dy++) {
          const y = row * stride + dy - padding;
          if (y < 0 || y >= height) continue;
          for (let dx = 0; dx < kernel; dx++) {
            const left = column * stride + dx - padding;
            if (left < 0 || left >= width) continue;
            const source = ((picture * height + y) * width + left) * channels;
            for (let channel = 0; channel < channels; channel++) {
              const value = x.values[source + channel]!;
              const weight = ((dy * kernel + dx) * channels + channel) * channelsOut;
              for (let out = 0; out < channelsOut; out++) output[target + out]! += value * filter.values[weight + out]!;
            }
          }
        }
      }
    }
  }
  return output;
}
