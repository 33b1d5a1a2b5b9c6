import { runKernel, type Attributes } from "./kernels";
import { tf } from "./tf";

/**
 * Two-dimensional convolution with symmetric zero padding, as PyTorch pads.
 *
 * TensorFlow's "SAME" pads an even picture on one side only when the stride is 2, which shifts features by half a pixel
 * against every published ResNet; explicit padding does not. tfjs has no gradient for explicit padding: TensorFlow has.
 *
 * @param x - [N, H, W, C]
 * @param filter - [kernel height, kernel width, C, channels out]
 * @param stride - in both directions
 * @param padding - pixels of zeros on each side
 * @returns [N, H', W', channels out]
 */
export function conv2d(x: tf.Tensor4D, filter: tf.Tensor4D, stride: number, padding: number): tf.Tensor4D {
  const attributes = convolutionAttributes(stride, padding);
  const convolve = tf.customGrad((...inputs) => {
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
  return convolve(x, filter) as tf.Tensor4D;
}

function shapeOf(tensor: tf.Tensor): tf.Tensor1D {
  return tf.tensor1d(tensor.shape, "int32");
}

const attributesByGeometry = new Map<string, Attributes>();

function convolutionAttributes(stride: number, padding: number): Attributes {
  const key = `${stride},${padding}`;
  let attributes = attributesByGeometry.get(key);
  if (attributes === undefined) {
    const common: Attributes = {
      T: { dtype: "float32" },
      strides: { int: [1, stride, stride, 1] },
      dilations: { int: [1, 1, 1, 1] },
      data_format: { string: "NHWC" },
      use_cudnn_on_gpu: { bool: true },
    };
    attributes =
      padding === 0
        ? { ...common, padding: { string: "VALID" } }
        : {
            ...common,
            padding: { string: "EXPLICIT" },
            explicit_paddings: { int: [0, 0, padding, padding, padding, padding, 0, 0] },
          };
    attributesByGeometry.set(key, attributes);
  }
  return attributes;
}
