import { describe, expect, it } from "vitest";
import {
  binaryCrossEntropy,
  boxRegressionLoss,
  deltasOfClass,
  rowsOfClass,
} from "../../../src/detection/model/detector-losses";
import { tf } from "../../../src/engine/tf";
import {
  directionalError,
  randomDoubles,
  relativeError,
  toTensor,
  weightedGradients,
} from "../../engine/double-precision";

const one = { shape: [], values: Float64Array.of(1) };

describe("binaryCrossEntropy", () => {
  const labels = Float32Array.of(1, 0, 1, 0, 0, 1);
  const logits = randomDoubles([6], "logits");
  const loss = (x: tf.Tensor) => binaryCrossEntropy(x as tf.Tensor1D, tf.tensor1d(labels)) as tf.Tensor;

  it("is the binary cross-entropy, summed, with its gradient", () => {
    const reference = (x: Float64Array) =>
      Float64Array.of(
        x.reduce((sum, logit, index) => {
          const p = 1 / (1 + Math.exp(-logit));
          return sum - Math.log(labels[index] === 1 ? p : 1 - p);
        }, 0),
      );
    tf.tidy(() => {
      expect(relativeError(loss(toTensor(logits)).dataSync(), reference(logits.values))).toBeLessThan(1e-6);
      const gradients = weightedGradients(loss, [toTensor(logits)], toTensor(one));
      expect(directionalError(([x]) => reference(x!.values), [logits], one, gradients)).toBeLessThan(1e-5);
    });
  });

  it("is exact for huge logits and at 0", () => {
    tf.tidy(() => {
      const at = (logit: number, label: number) => {
        const x = tf.tensor1d([logit]);
        const ofLabel = (y: tf.Tensor) => binaryCrossEntropy(y as tf.Tensor1D, tf.tensor1d([label])) as tf.Tensor;
        return [ofLabel(x).dataSync()[0]!, tf.grad(ofLabel)(x).dataSync()[0]!];
      };
      expect(at(200, 0)).toEqual([200, 1]);
      expect(at(200, 1)).toEqual([0, 0]);
      expect(at(-200, 1)).toEqual([200, -1]);
      expect(at(0, 1)).toEqual([Math.fround(Math.LN2), -0.5]);
    });
  });
});

describe("boxRegressionLoss", () => {
  it("is the L1 distance, summed; its gradient is the sign", () => {
    tf.tidy(() => {
      const loss = (x: tf.Tensor) => boxRegressionLoss(x as tf.Tensor2D, tf.tensor2d([[1, 2, 3, 4]])) as tf.Tensor;
      const x = tf.tensor2d([[2, 2.5, 0, 4.25]]);
      expect(loss(x).dataSync()[0]).toBe(4.75);
      expect([...tf.grad(loss)(x).dataSync()]).toEqual([1, 1, -1, 1]);
    });
  });

  it("is 0 for no box", () => {
    tf.tidy(() => {
      expect(boxRegressionLoss(tf.zeros([0, 4]), tf.zeros([0, 4])).dataSync()[0]).toBe(0);
    });
  });
});

describe("deltasOfClass", () => {
  it("takes each region's own class, and sends the gradient there only", () => {
    tf.tidy(() => {
      const deltas = tf.range(0, 24).as2D(2, 12); // 2 regions, 3 classes
      const rows = tf.tensor1d(rowsOfClass(Int32Array.of(1, 0), Int32Array.of(2, 1), 3), "int32");
      const select = (x: tf.Tensor) => deltasOfClass(x as tf.Tensor2D, rows) as tf.Tensor;
      expect([...select(deltas).dataSync()]).toEqual([20, 21, 22, 23, 4, 5, 6, 7]);
      const gradient = tf
        .grad((x: tf.Tensor) => tf.sum(select(x)))(deltas)
        .dataSync();
      expect([...gradient].map((value, index) => (value === 1 ? index : -1)).filter((index) => index >= 0)).toEqual([
        4, 5, 6, 7, 20, 21, 22, 23,
      ]);
    });
  });
});
