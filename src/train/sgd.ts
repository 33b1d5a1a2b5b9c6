import { tf } from "../engine/tf";
import type { ParameterVector } from "../nn/parameters";

export interface SgdOptions {
  readonly learningRate: number;
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
  private momentumBuffer: tf.Tensor1D;

  /** @param velocity - v in the order of the parameter vector, [size]; taken over */
  constructor(velocity: tf.Tensor1D) {
    this.momentumBuffer = tf.keep(velocity);
  }

  static create(parameters: ParameterVector): Sgd {
    return new Sgd(tf.zeros([parameters.size]));
  }

  /** v, [size]. Valid until the next step. */
  get velocity(): tf.Tensor1D {
    return this.momentumBuffer;
  }

  /** Moves the parameters by one step. */
  apply(parameters: ParameterVector, gradient: tf.Tensor1D, options: SgdOptions): void {
    const { learningRate, momentum, weightDecay } = options;
    const [velocity, values] = tf.tidy(() => {
      const decayed = tf.add(gradient, tf.mul(parameters.values, weightDecay));
      const nextVelocity = tf.add<tf.Tensor1D>(tf.mul(this.momentumBuffer, momentum), decayed);
      return [nextVelocity, tf.sub<tf.Tensor1D>(parameters.values, tf.mul(nextVelocity, learningRate))];
    });
    this.momentumBuffer.dispose();
    this.momentumBuffer = tf.keep(velocity);
    parameters.replace(values);
  }

  dispose(): void {
    this.momentumBuffer.dispose();
  }
}
