import { createProgram, type Program } from "../engine/program";
import type { TensorFunction } from "../engine/tensor-function";
import { randomStream } from "../engine/random";
import { tf } from "../engine/tf";
import { crossEntropy } from "../methods/losses";
import { backboneFeatures, type Encoder } from "../nn/encoder";
import { gradientsOf } from "../nn/gradients";
import { flatten, ParameterVector, type TensorEntry } from "../nn/parameters";
import { featureCount } from "../nn/resnet-layout";
import { Sgd } from "../train/sgd";
import type { LinearRecipe } from "./linear-recipe";

/** A linear classifier and what SGD carries of it. Owns its tensors: call {@link disposeClassifier}. */
export interface LinearClassifier {
  readonly parameters: ParameterVector;
  readonly optimizer: Sgd;
}

/** The tensors of a classifier, under the names that `main_lincls.py` trains them by. */
export function classifierParameters(encoder: Pick<Encoder, "config">, classCount: number): TensorEntry[] {
  return [
    { name: "fc.weight", shape: [featureCount(encoder.config), classCount] },
    { name: "fc.bias", shape: [classCount] },
  ];
}

/** Normal weights [dimension, classCount] and zero biases [classCount]; the caller disposes them. */
export function firstClassifier(
  dimension: number,
  classCount: number,
  seed: number,
  std: number,
): { weights: tf.Tensor2D; biases: tf.Tensor1D } {
  const random = randomStream(seed, "linear-probe", "weights");
  const values = Float32Array.from({ length: dimension * classCount }, () => std * random.normal());
  return { weights: tf.tensor2d(values, [dimension, classCount]), biases: tf.zeros([classCount]) };
}

/** A classifier before its first step. */
export function startClassifier(
  encoder: Pick<Encoder, "config">,
  classCount: number,
  seed: number,
  { initialStd }: Pick<LinearRecipe, "initialStd">,
): LinearClassifier {
  const values = tf.tidy(() => {
    const { weights, biases } = firstClassifier(featureCount(encoder.config), classCount, seed, initialStd);
    return flatten([weights, biases]);
  });
  const parameters = new ParameterVector(classifierParameters(encoder, classCount), values);
  return { parameters, optimizer: Sgd.create(parameters) };
}

export function disposeClassifier({ parameters, optimizer }: LinearClassifier): void {
  parameters.dispose();
  optimizer.dispose();
}

/** What a classifier makes of a batch, read out of the engine. */
export interface ClassifiedBatch {
  /** [N, classCount], row-major. */
  readonly logits: Float32Array;
}

/**
 * The classifier on its frozen network, recorded for batches of some sizes: a step of SGD, and classification.
 *
 * The network runs in evaluation mode throughout, so that neither its weights nor its running averages can change, and outside
 * of what is differentiated, so that no activation is kept. Owns the sessions: call `dispose`.
 */
export class ClassifierProgram {
  private readonly program: Program<Readonly<Record<string, TensorFunction>>>;
  private readonly largest: number;

  /**
   * @param batchSizes - of the batches that steps are taken with; batches up to the largest of them are classified
   * @param size - side of the images in pixels
   */
  constructor(
    encoder: Encoder,
    { parameters, optimizer }: LinearClassifier,
    { momentum, weightDecay }: Pick<LinearRecipe, "momentum" | "weightDecay">,
    { batchSizes, size }: { readonly batchSizes: readonly number[]; readonly size: number },
  ) {
    const images = (count: number) => ({ shape: [count, size, size, 3] });
    const logitsOf = (features: tf.Tensor2D): tf.Tensor2D =>
      tf.add(tf.matMul(features, parameters.tensor<tf.Tensor2D>("fc.weight")), parameters.tensor("fc.bias"));
    const step = (count: number): TensorFunction => ({
      inputs: { images: images(count), labels: { shape: [count], dtype: "int32" }, learningRate: { shape: [] } },
      compute: (inputs) => {
        const features = backboneFeatures(encoder, inputs["images"] as tf.Tensor4D);
        const logits = logitsOf(features);
        const { loss, gradients } = gradientsOf([parameters], () =>
          crossEntropy(logitsOf(features), inputs["labels"] as tf.Tensor1D),
        );
        const learningRate = inputs["learningRate"] as tf.Scalar;
        optimizer.apply(parameters, gradients[0]!, { learningRate, momentum, weightDecay });
        return { loss, logits };
      },
    });
    this.largest = Math.max(...batchSizes);
    this.program = createProgram<Readonly<Record<string, TensorFunction>>>({
      ...Object.fromEntries([...new Set(batchSizes)].map((count) => [`step${count}`, step(count)])),
      classify: {
        inputs: { images: images(this.largest) },
        compute: (inputs) => ({ logits: logitsOf(backboneFeatures(encoder, inputs["images"] as tf.Tensor4D)) }),
      },
    });
  }

  /**
   * Takes one step of SGD.
   *
   * @param images - [N, size, size, 3], normalized; stays the caller's
   * @param labels - [N]
   * @returns the mean cross-entropy before the step, and the logits it is of
   */
  step(images: tf.Tensor4D, labels: Int32Array, learningRate: number): ClassifiedBatch & { readonly loss: number } {
    const inputs = { images, labels: tf.tensor1d(labels, "int32"), learningRate: tf.scalar(learningRate) };
    const outputs = this.program.run(`step${labels.length}`, inputs);
    const read = { loss: outputs["loss"]!.dataSync()[0]!, logits: outputs["logits"]!.dataSync<"float32">() };
    tf.dispose([inputs.labels, inputs.learningRate, ...Object.values(outputs)]);
    return read;
  }

  /**
   * Classifies images.
   *
   * @param images - [N, size, size, 3], normalized, N up to the largest batch; stays the caller's
   */
  classify(images: tf.Tensor4D): ClassifiedBatch {
    const count = images.shape[0];
    // In evaluation mode an image knows nothing of the others.
    const missing: [number, number] = [0, this.largest - count];
    const filled = tf.tidy(() =>
      missing[1] === 0 ? tf.clone(images) : tf.pad4d(images, [missing, [0, 0], [0, 0], [0, 0]]),
    );
    const { logits } = this.program.run("classify", { images: filled });
    const classCount = logits!.shape[1]!;
    const read = { logits: logits!.dataSync<"float32">().slice(0, count * classCount) };
    tf.dispose([filled, logits!]);
    return read;
  }

  dispose(): void {
    this.program.dispose();
  }
}
