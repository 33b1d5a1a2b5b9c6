import { tf } from "../engine/tf";
import { flatten, type ParameterVector } from "./parameters";

/**
 * A loss and its gradient with respect to all parameters of one or more networks.
 *
 * @param networks - their parameter vectors
 * @param loss - computes a scalar from `parameters.tensor(...)`
 * @throws what `loss` throws; no tensor is left then
 * @returns the loss, and one gradient for each network in the order of its parameter vector, [size]; the caller disposes all
 */
export function gradientsOf(
  networks: readonly ParameterVector[],
  loss: () => tf.Scalar,
): { loss: tf.Scalar; gradients: tf.Tensor1D[] } {
  return tf.tidy(() => {
    const all = networks.flatMap(({ tensors }) => [...tensors]);
    // tfjs frees what it has saved for the gradients only when it has computed some, so an error waits for that.
    let failure: { readonly error: unknown } | undefined;
    const { value, grads } = tf.valueAndGrads(() => {
      try {
        const result = loss();
        freeOnTheWayBack(tf.engine().state.activeTape);
        return result;
      } catch (error) {
        failure = { error };
        return tf.addN(all.map((tensor) => tf.sum<tf.Scalar>(tensor)));
      }
    })(all);
    if (failure) throw failure.error;
    let first = 0;
    const gradients = networks.map(({ tensors }) => {
      const own = grads.slice(first, first + tensors.length);
      first += tensors.length;
      return flatten(own);
    });
    return { loss: value, gradients };
  });
}

/** What tfjs notes down of an operation while it differentiates. */
interface TapeNode {
  /** Kept by tfjs for `gradient`. */
  readonly saved?: tf.Tensor[];
  /** From the gradients of the outputs to functions that make those of the inputs. */
  gradient?: (dys: tf.Tensor[]) => Readonly<Record<string, () => tf.Tensor>>;
}

/**
 * Lets tfjs free what a pass backward has done with: what an operation saved, and the gradients of its outputs. By itself
 * it keeps all of both until the end, which takes twice the memory of the pass forward.
 *
 * It goes through the operations one after the other, from the last to the first: when one is asked for its gradients, the one
 * before it in that order has given all of its own.
 *
 * @param tape - the operations of the pass forward, in their order
 */
function freeOnTheWayBack(tape: TapeNode[]): void {
  let done: tf.Tensor[] = [];
  for (const node of tape) {
    const { gradient, saved = [] } = node;
    if (gradient === undefined) continue;
    node.gradient = (dys) => {
      tf.dispose(done);
      done = [...saved, ...dys.filter((dy) => dy !== null)];
      // A gradient that is one of these, or that two inputs share, gets a name of its own: it is needed longer.
      const taken = new Set(done);
      return Object.fromEntries(
        Object.entries(gradient(dys)).map(([input, make]) => [
          input,
          () => {
            const dx = make();
            if (taken.has(dx)) return tf.clone(dx);
            taken.add(dx);
            return dx;
          },
        ]),
      );
    };
  }
}
