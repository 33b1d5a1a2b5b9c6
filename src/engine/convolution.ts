import { runKernel, type Attributes } from "./kernels";
import { tf } from "./tf";

/** How a filter moves over an image, the same in both directions. */
export interface ConvolutionGeometry {
  readonly stride: number;
  /** Pixels of zeros on each side. */
  readonly padding: number;
  /** Distance between neighboring taps of the filter, in pixels. @default 1 */
  readonly dilation?: number;
}

/**
 * Two-dimensional convolution with symmetric zero padding, as PyTorch pads.
 *
 * Grouped when the filter has fewer input channels than the image: C / groups of them; group g sees the g-th part of
 * the input's channels and makes the g-th part of the output's.
 *
 * TensorFlow's "SAME" pads an even image on one side only when the stride is 2, which shifts features by half a pixel
 * against every published ResNet. Its "EXPLICIT" padding is right, but its gradients miss oneDNN on a CPU and take up to
 * four times as long. So: "SAME" where it is symmetric, else zeros put around the image first.
 *
 * Of a 1x1 filter that skips pixels, oneDNN's gradients write outside of their memory (TensorFlow 2.21; for example with 8 channels, 64 x 64
 * pixels): the skipped pixels are taken out first.
 *
 * @param x - [N, H, W, C]
 * @param filter - [kernel height, kernel width, C / groups, channels out]
 * @returns [N, H', W', channels out]
 * @throws Error with TensorFlow's message if the channels do not fit
 */
export function conv2d(x: tf.Tensor4D, filter: tf.Tensor4D, geometry: ConvolutionGeometry): tf.Tensor4D {
  const { stride, padding, dilation = 1 } = geometry;
  if (padding === 0 && stride > 1 && filter.shape[0] === 1 && filter.shape[1] === 1) {
    return tf.tidy(() => convolve(everyPixel(x, stride), filter, "VALID", 1, 1));
  }
  if (padding === 0) return convolve(x, filter, "VALID", stride, dilation);
  const symmetric = (kernel: number) => dilation * (kernel - 1) === 2 * padding;
  if (stride === 1 && symmetric(filter.shape[0]) && symmetric(filter.shape[1])) {
    return convolve(x, filter, "SAME", stride, dilation);
  }
  return tf.tidy(() => {
    const padded = tf.pad4d(x, [
      [0, 0],
      [padding, padding],
      [padding, padding],
      [0, 0],
    ]);
    return convolve(padded, filter, "VALID", stride, dilation);
  });
}

/** The pixels in each `stride`-th row and column, from the first on. */
function everyPixel(x: tf.Tensor4D, stride: number): tf.Tensor4D {
  const [count, height, width, channels] = x.shape;
  const [rows, columns] = [Math.ceil(height / stride), Math.ceil(width / stride)];
  const whole = tf.pad4d(x, [
    [0, 0],
    [0, rows * stride - height],
    [0, columns * stride - width],
    [0, 0],
  ]);
  const first = tf.slice4d(
    whole.as4D(count * rows, stride, columns, stride * channels),
    [0, 0, 0, 0],
    [count * rows, 1, columns, channels],
  );
  return first.as4D(count, rows, columns, channels);
}

// TensorFlow's own kernels: tfjs has no gradient for a dilated or a grouped convolution.
function convolve(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  padding: "SAME" | "VALID",
  stride: number,
  dilation: number,
): tf.Tensor4D {
  const attributes = convolutionAttributes(padding, stride, dilation);
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

function convolutionAttributes(padding: "SAME" | "VALID", stride: number, dilation: number): Attributes {
  const key = `${padding},${stride},${dilation}`;
  let attributes = attributesByGeometry.get(key);
  if (attributes === undefined) {
    attributes = {
      T: { dtype: "float32" },
      strides: { int: [1, stride, stride, 1] },
      dilations: { int: [1, dilation, dilation, 1] },
      data_format: { string: "NHWC" },
      use_cudnn_on_gpu: { bool: true },
      padding: { string: padding },
    };
    attributesByGeometry.set(key, attributes);
  }
  return attributes;
}
