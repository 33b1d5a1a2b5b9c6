import { tf } from "../engine/tf";
import { Variable } from "../engine/variable";
import type { ParameterVector } from "../nn/parameters";

export interface SgdOptions {
  /** A tensor where the step is recorded: a number would stay as it was. */
  readonly learningRate: number | tf.Scalar;
  /** 0.9 in the paper. */
  readonly momentum: number;
  /**
   * One number for all parameters, batch normalization and biases included, as in the official code; or [size], one for each
   * number of the parameter vector.
   */
  readonly weightDecay: number | tf.Tensor1D;
}

/**
 * Stochastic gradient descent with momentum as PyTorch defines it: v <- momentum v + (g + decay p); p <- p - rate v.
 *
 * Owns the velocity: call `dispose`.
 */
export class Sgd {
  /** v: what a checkpoint holds of it. */
  readonly momentumBuffer: Variable<tf.Tensor1D>;

  /** @param velocity - v in the order of the parameter vector, [size]; taken over */
  constructor(velocity: tf.Tensor1D) {
    this.momentumBuffer = new Variable("the velocity", velocity);
  }

  static create(parameters: ParameterVector): Sgd {
    return new Sgd(tf.zeros([parameters.size]));
  }

  /** v, [size]. Valid until the next step. */
  get velocity(): tf.Tensor1D {
    return this.momentumBuffer.value;
  }

  /** Moves the parameters by one step. */
  apply(parameters: ParameterVector, gradient: tf.Tensor1D, options: SgdOptions): void {
    const { learningRate, momentum, weightDecay } = options;
    const [velocity, values] = tf.tidy(() => {
      const decayed = tf.add(gradient, tf.mul(parameters.values, weightDecay));
      const nextVelocity = tf.add<tf.Tensor1D>(tf.mul(this.velocity, momentum), decayed);
      return [nextVelocity, tf.sub<tf.Tensor1D>(parameters.values, tf.mul(nextVelocity, learningRate))];
    });
    this.momentumBuffer.assign(velocity);
    parameters.replace(values);
  }

  dispose(): void {
    this.momentumBuffer.dispose();
  }
}
