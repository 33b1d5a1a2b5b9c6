import { inspect } from "node:util";
import { currentRecording } from "../engine/recording";
import { tf } from "../engine/tf";

/** Up to this many values a tensor is shown whole. */
const shownWhole = 100;
/** This many of its values are shown otherwise. */
const firstValues = 6;

/** A tensor for readers: its type, its shape, and its values or the first of many. */
export function tensorText(tensor: tf.Tensor): string {
  const kind = nameOf(tensor);
  // What is recorded has no values yet.
  if (tensor.isDisposed || currentRecording() !== undefined) return kind;
  const whole = tensor.size <= shownWhole;
  const text = tf.tidy(() => (whole ? tensor : tensor.flatten().slice(0, firstValues)).toString());
  return `${kind}${whole ? "" : ", begins with"}:${text.slice(text.indexOf("\n"))}`;
}

function nameOf(tensor: tf.Tensor): string {
  return `Tensor ${tensor.dtype} [${tensor.shape.join(", ")}]${tensor.isDisposed ? ", disposed" : ""}`;
}

/** So results of cells and `console.log` show tensors. Within an object or a list the values would hide the others. */
Object.defineProperty(tf.Tensor.prototype, inspect.custom, {
  // A second copy of the kit in one process sets it again.
  configurable: true,
  value(this: tf.Tensor, depth: number, options: { readonly depth?: number }) {
    return depth === options.depth ? tensorText(this) : nameOf(this);
  },
});
