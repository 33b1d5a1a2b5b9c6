import { DivergedError } from "../errors";
import { createProgram, type Program } from "../engine/program";
import type { InputSpec, NamedTensors, TensorFunction } from "../engine/tensor-function";
import { tf } from "../engine/tf";
import type { Batch, ChunkedStep, StepInputs } from "../methods/method";
import { firstNotFinite } from "./first-not-finite";
import type { AnyRecipe } from "./recipe";
import type { TrainingState } from "./state";

/** What one step tells, read out of the engine. */
export interface StepReport {
  readonly loss: number;
  /** Pretext accuracy. */
  readonly accuracy: number;
  /** Euclidean norm of the gradient of all trained parameters, before weight decay. */
  readonly gradientNorm: number;
}

/**
 * The step of a pre-training: the method's gradients, applied by the optimizers.
 *
 * Recorded at the first batch: from then on a step is one call, and all that it changes stays in its session. Owns the
 * session: call `dispose`; the method and the optimizers stay their owner's.
 */
export class TrainingStep {
  private program: Program<{ step: TensorFunction }> | undefined;
  private chunked: ChunkedStep | undefined;

  constructor(
    private readonly state: Pick<TrainingState, "method" | "optimizers">,
    private readonly optimizer: AnyRecipe["optimizer"],
  ) {}

  /**
   * Takes one step. Does not count it.
   *
   * @param moment - "step 12 of epoch 3", for messages
   * @throws DivergedError if the loss or the gradient is no longer finite, with what was so first
   */
  take(batch: Batch, learningRate: number, moment: string): StepReport {
    const report = this.state.method.inChunks
      ? this.takeInChunks(this.state.method.inChunks, batch, learningRate)
      : this.takeAtOnce(batch, learningRate);
    const { loss, gradientNorm } = report;
    if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) return report;
    const what = Number.isFinite(loss)
      ? `the norm of the gradient in ${moment} is ${gradientNorm}`
      : `the loss of ${moment} is ${loss}`;
    const first = firstNotFinite(this.state);
    throw new DivergedError(
      `Training diverged: ${what}, at a learning rate of ${Number(learningRate.toPrecision(3))}` +
        (first === undefined ? "" : `; not finite first: ${first}`),
    );
  }

  /** What the step consists of, operation by operation; records it if it was not yet. */
  operations(batch: Batch): ReturnType<Program<{ step: TensorFunction }>["operations"]> {
    return withInputs(this.state.method, batch, 0, (inputs) => this.recorded(inputs).operations("step"));
  }

  dispose(): void {
    this.program?.dispose();
    this.chunked?.dispose();
  }

  private takeAtOnce(batch: Batch, learningRate: number): StepReport {
    return withInputs(this.state.method, batch, learningRate, (inputs) =>
      reportOf(this.recorded(inputs).run("step", inputs) as unknown as Told),
    );
  }

  private takeInChunks(start: () => ChunkedStep, batch: Batch, learningRate: number): StepReport {
    this.chunked ??= start();
    const { loss, accuracy, gradients } = this.chunked.step(batch);
    const gradientNorm = normOf(gradients);
    this.applyGradients(gradients, learningRate);
    tf.dispose([...gradients]);
    return reportOf({ loss, accuracy, gradientNorm });
  }

  private recorded(inputs: NamedTensors): Program<{ step: TensorFunction }> {
    this.program ??= createProgram(
      {
        step: {
          inputs: specsOf(inputs),
          compute: ({ learningRate, ...tensors }) => {
            const { loss, accuracy, gradients } = this.state.method.step(stepInputs(tensors));
            const gradientNorm = normOf(gradients);
            this.applyGradients(gradients, learningRate as tf.Scalar);
            return { loss, accuracy, gradientNorm };
          },
        },
      },
      { atOnce: 2 },
    );
    return this.program;
  }

  private applyGradients(gradients: readonly tf.Tensor1D[], learningRate: number | tf.Scalar): void {
    const { method, optimizers } = this.state;
    const { momentum, weightDecay } = this.optimizer;
    [...optimizers].forEach(([name, optimizer], index) => {
      const { parameters } = method.networks[name]!;
      optimizer.apply(parameters, gradients[index]!, { learningRate, momentum, weightDecay });
    });
  }
}

interface Told {
  readonly loss: tf.Scalar;
  readonly accuracy: tf.Scalar;
  readonly gradientNorm: tf.Scalar;
}

function reportOf(told: Told): StepReport {
  const [loss, accuracy, gradientNorm] = [told.loss, told.accuracy, told.gradientNorm].map(
    (scalar) => scalar.dataSync()[0]!,
  ) as [number, number, number];
  tf.dispose([told.loss, told.accuracy, told.gradientNorm]);
  return { loss, accuracy, gradientNorm };
}

/** Norm of all gradients together. Divided by the largest before it is squared, which would overflow from 1e19 on. */
function normOf(gradients: readonly tf.Tensor1D[]): tf.Scalar {
  return tf.tidy(() => {
    if (gradients.length === 0) return tf.scalar(0);
    const largest = gradients
      .map((gradient) => tf.max(tf.abs(gradient)))
      .reduce((one, other) => tf.maximum(one, other));
    const scale = tf.maximum(largest, 1e-30);
    const squares = gradients.map((gradient) => tf.sum(tf.square(tf.div(gradient, scale))));
    return tf.mul<tf.Scalar>(tf.sqrt(tf.addN(squares)), scale);
  });
}

// Inputs of a program are a flat list of names: view0, view1, drawn_permutation, ...
const [viewPrefix, drawnPrefix] = ["view", "drawn_"];

function withInputs<T>(
  { draw }: TrainingState["method"],
  batch: Batch,
  learningRate: number,
  use: (inputs: NamedTensors) => T,
): T {
  const integers = (values: Int32Array) => tf.tensor1d(values, "int32");
  const drawn = Object.entries(draw?.(batch) ?? {});
  const inputs: NamedTensors = {
    ...Object.fromEntries(batch.views().map((view, index) => [viewPrefix + index, view])),
    indices: integers(batch.indices),
    labels: integers(batch.labels),
    learningRate: tf.scalar(learningRate),
    ...Object.fromEntries(drawn.map(([name, values]) => [drawnPrefix + name, integers(values)])),
  };
  try {
    return use(inputs);
  } finally {
    tf.dispose(Object.values(inputs));
  }
}

function stepInputs(inputs: NamedTensors): StepInputs {
  const startingWith = (prefix: string) => Object.entries(inputs).filter(([name]) => name.startsWith(prefix));
  const drawn = startingWith(drawnPrefix).map(([name, tensor]) => [name.slice(drawnPrefix.length), tensor]);
  return {
    views: startingWith(viewPrefix).map(([, view]) => view as tf.Tensor4D),
    indices: inputs["indices"] as tf.Tensor1D,
    labels: inputs["labels"] as tf.Tensor1D,
    drawn: Object.fromEntries(drawn) as StepInputs["drawn"],
  };
}

function specsOf(inputs: NamedTensors): Record<string, InputSpec> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, dtype }]) => [name, { shape, dtype: dtype as "float32" | "int32" }]),
  );
}
