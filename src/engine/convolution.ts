import { runKernel, type Attributes } from "./kernels";
import { tf } from "./tf";

/**
 * Two-dimensional convolution with symmetric zero padding, as PyTorch pads.
 *
 * TensorFlow's "SAME" pads an even picture on one side only when the stride is 2, which shifts features by half a pixel
 * against every published ResNet. Its "EXPLICIT" padding is right, but its gradients miss oneDNN on a CPU and take up to
 * four times as long. So: "SAME" where it is symmetric, else zeros put around the picture first.
 *
 * @param x - [N, H, W, C]
 * @param filter - [kernel height, kernel width, C, channels out]
 * @param stride - in both directions
 * @param padding - pixels of zeros on each side
 * @returns [N, H', W', channels out]
 */
export function conv2d(x: tf.Tensor4D, filter: tf.Tensor4D, stride: number, padding: number): tf.Tensor4D {
  if (padding === 0) return convolve(x, filter, "VALID", stride);
  if (stride === 1 && filter.shape[0] === 2 * padding + 1 && filter.shape[1] === 2 * padding + 1) {
    return convolve(x, filter, "SAME", stride);
  }
  return tf.tidy(() => {
    const padded = tf.pad4d(x, [
      [0, 0],
      [padding, padding],
      [padding, padding],
      [0, 0],
    ]);
    return convolve(padded, filter, "VALID", stride);
  });
}

function convolve(x: tf.Tensor4D, filter: tf.Tensor4D, padding: "SAME" | "VALID", stride: number): tf.Tensor4D {
  const attributes = convolutionAttributes(padding, stride);
  const differentiable = tf.customGrad((...inputs) => {
    const [input, weights, save] = inputs as unknown as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([input, weights]);
    return {
      value: runKernel("Conv2D", attributes, [input, weights]),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [savedInput, savedWeights] = saved as [tf.Tensor, tf.Tensor];
        return [
          tf.tidy(() => runKernel("Conv2DBackpropInput", attributes, [shapeOf(savedInput), savedWeights, dy])),
          tf.tidy(() => runKernel("Conv2DBackpropFilter", attributes, [savedInput, shapeOf(savedWeights), dy])),
        ];
      },
    };
  });
  return differentiable(x, filter) as tf.Tensor4D;
}

function shapeOf(tensor: tf.Tensor): tf.Tensor1D {
  return tf.tensor1d(tensor.shape, "int32");
}

const attributesByGeometry = new Map<string, Attributes>();

function convolutionAttributes(padding: "SAME" | "VALID", stride: number): Attributes {
  const key = `${padding},${stride}`;
  let attributes = attributesByGeometry.get(key);
  if (attributes === undefined) {
    attributes = {
      T: { dtype: "float32" },
      strides: { int: [1, stride, stride, 1] },
      dilations: { int: [1, 1, 1, 1] },
      data_format: { string: "NHWC" },
      use_cudnn_on_gpu: { bool: true },
      padding: { string: padding },
    };
    attributesByGeometry.set(key, attributes);
  }
  return attributes;
}
