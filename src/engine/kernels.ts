import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend";
import { tf } from "./tf";

/** A TensorFlow attribute with its type spelled out: JavaScript cannot tell 1 from 1.0. */
export type Attribute =
  | { readonly int: number | readonly number[] }
  | { readonly float: number }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly dtype: "float32" | "int32" };

export type Attributes = Readonly<Record<string, Attribute>>;

/**
 * Runs a TensorFlow kernel that tfjs does not bind, with one output.
 *
 * The call is invisible to tfjs's gradients: wrap it in `tf.customGrad` where a gradient is needed.
 *
 * @param name - TensorFlow's name of the operation, for example "ReluGrad"
 * @throws Error with TensorFlow's message if inputs or attributes do not fit
 */
export function runKernel(name: string, attributes: Attributes, inputs: readonly tf.Tensor[]): tf.Tensor {
  return backend().executeSingleOutput(name, encode(attributes), [...inputs]);
}

/** As {@link runKernel}, for an operation with `outputCount` outputs. */
export function runKernelMultiple(
  name: string,
  attributes: Attributes,
  inputs: readonly tf.Tensor[],
  outputCount: number,
): tf.Tensor[] {
  return backend().executeMultipleOutputs(name, encode(attributes), [...inputs], outputCount);
}

function backend(): NodeJSKernelBackend {
  return tf.backend() as NodeJSKernelBackend;
}

type EncodedAttributes = Parameters<NodeJSKernelBackend["executeSingleOutput"]>[1];

const encodedAttributes = new WeakMap<Attributes, EncodedAttributes>();

// A training step makes hundreds of calls with the same few attribute objects.
function encode(attributes: Attributes): EncodedAttributes {
  let encoded = encodedAttributes.get(attributes);
  if (encoded === undefined) {
    encoded = Object.entries(attributes).map(([name, attribute]) => encodeOne(name, attribute));
    encodedAttributes.set(attributes, encoded);
  }
  return encoded;
}

function encodeOne(name: string, attribute: Attribute): EncodedAttributes[number] {
  const { binding } = backend();
  if ("int" in attribute) return { name, type: binding.TF_ATTR_INT, value: attribute.int };
  if ("float" in attribute) return { name, type: binding.TF_ATTR_FLOAT, value: attribute.float };
  if ("bool" in attribute) return { name, type: binding.TF_ATTR_BOOL, value: attribute.bool };
  if ("string" in attribute) return { name, type: binding.TF_ATTR_STRING, value: attribute.string };
  const value = attribute.dtype === "int32" ? binding.TF_INT32 : binding.TF_FLOAT;
  return { name, type: binding.TF_ATTR_TYPE, value };
}
