import { describe, expect, it } from "vitest";
import {
  batchNormEpsilon,
  batchNormInference,
  batchNormTraining,
  type BatchStatistics,
} from "../../src/engine/batch-norm";
import { tf } from "../../src/engine/tf";
import { hashed, hashedImages } from "../weights/hashed";
import {
  directionalError,
  randomDoubles,
  relativeError,
  toTensor,
  weightedGradients,
  type Doubles,
} from "./double-precision";
import fixture from "./fixtures/pytorch.json";

const shapes = [
  [4, 8, 8, 5],
  [32, 1, 1, 16],
  [16, 16, 16, 8],
] as const;

describe.each(shapes)("batchNormTraining, [%i, %i, %i, %i]", (...shape) => {
  const channels = shape[3];
  const input = randomDoubles(shape, "input");
  const scale = randomDoubles([channels], "scale");
  const offset = randomDoubles([channels], "offset");
  const weights = randomDoubles(shape, "weights");
  const doubles = [input, scale, offset];

  it("gives what plain tfjs and a loop in doubles give", () => {
    tf.tidy(() => {
      const inputs = doubles.map((values) => toTensor(values));
      const y = fused(...inputs).dataSync();
      expect(relativeError(y, plain(...inputs).dataSync())).toBeLessThan(2e-6);
      expect(relativeError(y, normalizeInDoubles(doubles))).toBeLessThan(2e-6);
    });
  });

  it("has the gradients of plain tfjs and of central differences, and the same bits each time", () => {
    tf.tidy(() => {
      const inputs = doubles.map((values) => toTensor(values));
      const expected = weightedGradients(plain, inputs, toTensor(weights)).map((gradient) => gradient.dataSync());
      const gradients = weightedGradients(fused, inputs, toTensor(weights));
      const first = gradients.map((gradient) => gradient.dataSync());
      first.forEach((values, index) => expect(relativeError(values, expected[index]!)).toBeLessThan(1e-5));
      expect(directionalError(normalizeInDoubles, doubles, weights, gradients)).toBeLessThan(1e-5);
      for (let repeat = 0; repeat < 5; repeat++) {
        const again = weightedGradients(fused, inputs, toTensor(weights));
        expect(again.map((gradient) => gradient.dataSync())).toEqual(first);
      }
    });
  });
});

describe("batchNormTraining against PyTorch", () => {
  const { output, mean, variance, gradients } = fixture.batchNorm;
  const inputs = () => [
    hashedImages(20, 3, 2, 2),
    tf.tensor1d(hashed(21, 2, 0.5, 1.5)),
    tf.tensor1d(hashed(22, 2, -1, 1)),
  ];

  it("gives its output and its gradients", () => {
    tf.tidy(() => {
      expect(relativeError(fused(...inputs()).dataSync(), output)).toBeLessThan(2e-6);
      const [x, scale, offset] = weightedGradients(fused, inputs(), hashedImages(23, 3, 2, 2));
      expect(relativeError(x!.dataSync(), gradients.x)).toBeLessThan(1e-5);
      expect(relativeError(scale!.dataSync(), gradients.scale)).toBeLessThan(1e-5);
      expect(relativeError(offset!.dataSync(), gradients.offset)).toBeLessThan(1e-5);
    });
  });

  it("hands over the mean and the unbiased variance that go into the running averages", () => {
    const before = tf.memory().numTensors;
    let statistics: BatchStatistics | undefined;
    tf.tidy(() => {
      const [x, scale, offset] = inputs() as [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D];
      batchNormTraining(x, scale, offset, (batch) => (statistics = batch));
    });
    expect(relativeError(statistics!.mean.dataSync(), mean)).toBeLessThan(2e-6);
    expect(relativeError(statistics!.variance.dataSync(), variance)).toBeLessThan(2e-6);
    expect(tf.memory().numTensors).toBe(before + 2);
    tf.dispose([statistics!.mean, statistics!.variance]);
  });
});

describe("batchNormInference", () => {
  it("uses the averages it is given", () => {
    const y = tf.tidy(() =>
      batchNormInference(
        tf.tensor4d([1, 2, 3, 4], [2, 1, 1, 2]),
        tf.tensor1d([2, 1]),
        tf.tensor1d([0.5, 0]),
        tf.tensor1d([1, 3]),
        tf.tensor1d([4, 0.25]),
      ).dataSync(),
    );
    const normal = (x: number, mean: number, variance: number) => (x - mean) / Math.sqrt(variance + 1e-5);
    const expected = [0.5, normal(2, 3, 0.25), 2 * normal(3, 1, 4) + 0.5, normal(4, 3, 0.25)];
    expect(relativeError(y, expected)).toBeLessThan(1e-6);
  });
});

function fused(...[x, scale, offset]: tf.Tensor[]): tf.Tensor {
  return batchNormTraining(x as tf.Tensor4D, scale as tf.Tensor1D, offset as tf.Tensor1D, ({ mean, variance }) =>
    tf.dispose([mean, variance]),
  );
}

function plain(...[x, scale, offset]: tf.Tensor[]): tf.Tensor {
  const { mean, variance } = tf.moments(x!, [0, 1, 2]);
  const normal = tf.div(tf.sub(x!, mean), tf.sqrt(tf.add(variance, batchNormEpsilon)));
  return tf.add(tf.mul(normal, scale!), offset!);
}

function normalizeInDoubles([x, scale, offset]: readonly Doubles[]): Float64Array {
  const channels = scale!.values.length;
  const count = x!.values.length / channels;
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  x!.values.forEach((value, index) => (mean[index % channels]! += value / count));
  x!.values.forEach((value, index) => (variance[index % channels]! += (value - mean[index % channels]!) ** 2 / count));
  return x!.values.map((value, index) => {
    const channel = index % channels;
    const normal = (value - mean[channel]!) / Math.sqrt(variance[channel]! + batchNormEpsilon);
    return normal * scale!.values[channel]! + offset!.values[channel]!;
  });
}
