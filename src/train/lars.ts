import { tf } from "../engine/tf";
import { Variable } from "../engine/variable";
import { flatten, type ParameterVector } from "../nn/parameters";

/** Share of a weight's length by which one step of rate 1 moves it: eta of You et al., 2017, and SimCLR's value. */
const trustCoefficient = 0.001;

export interface LarsOptions {
  /** A tensor where the step is recorded: a number would stay as it was. */
  readonly learningRate: number | tf.Scalar;
  /** 0.9 in SimCLR. */
  readonly momentum: number;
  /** Not applied to biases and batch normalization. */
  readonly weightDecay: number;
}

/**
 * Layer-wise adaptive rate scaling (You et al., 2017), for batches above 512, in the form of SimCLR's official code:
 *
 *     g <- g + decay p;  v <- momentum v + rate (0.001 |p| / |g|) g;  p <- p - v
 *
 * for each weight tensor p by itself; where |p| or |g| is 0, the bracket is 1. Biases and the scales and offsets of batch
 * normalization have no decay, and the bracket is 1. The rate is inside the velocity: unlike in {@link Sgd}, a change of
 * rate does not act on what is already in it.
 *
 * Owns the velocity: call `dispose`.
 */
export class Lars {
  /** v: what a checkpoint holds of it. */
  readonly momentumBuffer: Variable<tf.Tensor1D>;

  /** @param velocity - v in the order of the parameter vector, [size]; taken over */
  constructor(velocity: tf.Tensor1D) {
    this.momentumBuffer = new Variable("the velocity", velocity);
  }

  static create(parameters: ParameterVector): Lars {
    return new Lars(tf.zeros([parameters.size]));
  }

  /** v, [size]. Valid until the next step. */
  get velocity(): tf.Tensor1D {
    return this.momentumBuffer.value;
  }

  /** Moves the parameters by one step. */
  apply(parameters: ParameterVector, gradient: tf.Tensor1D, options: LarsOptions): void {
    const { learningRate, momentum, weightDecay } = options;
    const [velocity, values] = tf.tidy(() => {
      const direction = adaptedGradient(parameters, gradient, weightDecay);
      const nextVelocity = tf.add<tf.Tensor1D>(tf.mul(this.velocity, momentum), tf.mul(direction, learningRate));
      return [nextVelocity, tf.sub<tf.Tensor1D>(parameters.values, nextVelocity)];
    });
    this.momentumBuffer.assign(velocity);
    parameters.replace(values);
  }

  dispose(): void {
    this.momentumBuffer.dispose();
  }
}

function adaptedGradient(parameters: ParameterVector, gradient: tf.Tensor1D, weightDecay: number): tf.Tensor1D {
  const sizes = parameters.tensors.map(({ size }) => size);
  const pieces = tf.split(gradient, sizes).map((piece, index) => {
    const weight = parameters.tensors[index]!;
    // Biases and batch normalization are what has one dimension.
    if (weight.rank === 1) return piece;
    const weights = weight.as1D();
    const decayed = tf.add<tf.Tensor1D>(piece, tf.mul(weights, weightDecay));
    return tf.mul<tf.Tensor1D>(decayed, trustRatio(weights, decayed));
  });
  return flatten(pieces);
}

/** 0.001 |p| / |g|; 1 where either is 0. */
function trustRatio(weights: tf.Tensor1D, gradient: tf.Tensor1D): tf.Tensor {
  const [weightLength, gradientLength] = [lengthOf(weights), lengthOf(gradient)];
  const bothPositive = tf.logicalAnd(tf.greater(weightLength, 0), tf.greater(gradientLength, 0));
  return tf.where(
    bothPositive,
    tf.div(tf.mul(weightLength, trustCoefficient), gradientLength),
    tf.onesLike(weightLength),
  );
}

// tf.norm takes four times as long for a small tensor, 35 times for the largest of a ResNet-50.
function lengthOf(x: tf.Tensor1D): tf.Tensor {
  return tf.sqrt(tf.sum(tf.square(x)));
}
