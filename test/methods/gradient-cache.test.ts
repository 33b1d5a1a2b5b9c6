import { describe, expect, it } from "vitest";
import { createProgram } from "../../src/engine/program";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";
import { endToEndStep, endToEndStepInChunks } from "../../src/methods/end-to-end";
import { ChunkedEncoder } from "../../src/methods/gradient-cache";
import { createMoco, disposeMoco, mocoStep } from "../../src/methods/moco";
import { ChunkedMoco } from "../../src/methods/moco-in-chunks";
import { simclrStep, simclrStepInChunks } from "../../src/methods/simclr";
import type { StepResult } from "../../src/methods/step";
import { copyEncoder, createEncoder, disposeEncoder, type Encoder } from "../../src/nn/encoder";
import { relativeError } from "../engine/double-precision";
import { hashedImages } from "../weights/hashed";

const [batch, chunk, size] = [64, 16, 8];
const encoderConfig = { architecture: "resnet18", width: 4, stem: "cifar", head: "mlp", dimension: 16 } as const;
const views = [hashedImages(1, batch, size), hashedImages(2, batch, size)] as const;
const view = (which: number, positions: Int32Array = Int32Array.from({ length: batch }, (_, row) => row)) =>
  tf.tidy(() => tf.gather(views[which]!, tf.tensor1d(positions, "int32")));
const ofBatch = { view, size: batch };
const permutation = randomStream(1, "permutation").permutation(batch);
const order = tf.tensor1d(permutation, "int32");

/** Gradients by tensor of the network, and what the step did to the running averages. */
function outcome({ loss, accuracy, gradients }: StepResult, encoders: readonly Encoder[]) {
  const tensors = gradients.flatMap((gradient, index) =>
    tf
      .tidy(() =>
        tf.split(
          gradient,
          encoders[index]!.parameters.tensors.map(({ size: length }) => length),
        ),
      )
      .map((part) => {
        const values = part.dataSync<"float32">();
        part.dispose();
        return values;
      }),
  );
  const running = encoders.map((encoder) => encoder.running.values.dataSync<"float32">());
  const report = { loss: loss.arraySync(), accuracy: accuracy.arraySync(), tensors, running };
  tf.dispose([loss, accuracy, ...gradients]);
  return report;
}

function expectEqual(chunked: ReturnType<typeof outcome>, plain: ReturnType<typeof outcome>) {
  expect(chunked.loss).toBeCloseTo(plain.loss, 5);
  expect(chunked.accuracy).toBe(plain.accuracy);
  chunked.tensors.forEach((tensor, index) => expect(relativeError(tensor, plain.tensors[index]!)).toBeLessThan(1e-5));
  chunked.running.forEach((values, index) => expect(relativeError(values, plain.running[index]!)).toBeLessThan(1e-6));
}

/** The step of a whole batch, recorded as chunks are: TensorFlow rounds differently where it sees a whole graph. */
function recorded(step: (first: tf.Tensor4D, second: tf.Tensor4D, order: tf.Tensor1D) => StepResult): StepResult {
  const view = { shape: views[0].shape };
  const program = createProgram({
    step: {
      inputs: { first: view, second: view, order: { shape: [batch], dtype: "int32" } },
      compute: ({ first, second, order }) => {
        const { loss, accuracy, gradients } = step(first as tf.Tensor4D, second as tf.Tensor4D, order as tf.Tensor1D);
        return { loss, accuracy, ...Object.fromEntries(gradients.map((one, index) => [`gradient${index}`, one])) };
      },
    },
  });
  const { loss, accuracy, ...gradients } = program.run("step", { first: views[0], second: views[1], order });
  program.dispose();
  return { loss, accuracy, gradients: Object.values(gradients) } as unknown as StepResult;
}

/** A step of encoders that take their images in chunks. */
function inChunks(
  encoders: readonly Encoder[],
  images: number,
  bnGroups: number,
  step: (chunked: readonly ChunkedEncoder[]) => StepResult,
): StepResult {
  const chunked = encoders.map((encoder) => new ChunkedEncoder(encoder, (bnGroups * chunk) / images));
  try {
    return step(chunked);
  } finally {
    chunked.forEach((one) => one.dispose());
  }
}

describe("the gradient cache", () => {
  it("gives SimCLR the gradients of the whole batch, and one move of the running averages", () => {
    const run = (chunkSize?: number) => {
      const before = tf.memory().numTensors;
      const encoder = createEncoder(encoderConfig, randomStream(1, "encoder"));
      const simclr = { encoder, temperature: 0.1, bnGroups: 8 };
      const step =
        chunkSize === undefined
          ? recorded((first, second) => simclrStep(simclr, { first, second }))
          : inChunks([encoder], 2 * batch, 8, ([chunked]) =>
              simclrStepInChunks({ encoder: chunked!, temperature: 0.1 }, ofBatch, { size: chunkSize }),
            );
      const result = outcome(step, [encoder]);
      disposeEncoder(encoder);
      expect(tf.memory().numTensors).toBe(before);
      return result;
    };
    expectEqual(run(chunk), run());
  });

  it.each([true, false])("gives MoCo its step, queue and key encoder included, shuffling BN %s", (shuffleBN) => {
    const run = (chunkSize?: number) => {
      const before = tf.memory().numTensors;
      const moco = createMoco(
        { encoder: encoderConfig, queueSize: 2 * batch, momentum: 0.9, temperature: 0.1, bnGroups: 4 },
        { encoder: randomStream(1, "encoder"), queue: randomStream(1, "queue") },
      );
      const { queryEncoder, keyEncoder, queue } = moco;
      // Other weights than the query encoder's, as after some steps.
      keyEncoder.parameters.replace(tf.tidy(() => tf.mul<tf.Tensor1D>(keyEncoder.parameters.values, 0.9)));
      const chunked = chunkSize === undefined ? undefined : new ChunkedMoco(moco, (4 * chunkSize) / batch);
      const indices = Int32Array.from({ length: batch }, (_, row) => 100 + row);
      const step =
        chunked?.step(
          { ...ofBatch, indices },
          { size: chunkSize!, permutation: shuffleBN ? permutation : undefined },
        ) ??
        recorded((queryView, keyView, permutation) =>
          mocoStep(moco, {
            queryView,
            keyView,
            permutation: shuffleBN ? permutation : undefined,
            images: tf.range(100, 100 + batch, 1, "int32"),
          }),
        );
      const result = outcome(step, [queryEncoder, keyEncoder].slice(0, 1));
      const state = [keyEncoder.parameters.values, keyEncoder.running.values, queue.keys].map((values) =>
        values.dataSync<"float32">(),
      );
      const rest = { pointer: queue.pointer, images: [...queue.buffers[1]!.value.dataSync()] };
      chunked?.dispose();
      disposeMoco(moco);
      expect(tf.memory().numTensors).toBe(before);
      return { result, state, rest };
    };
    const [chunked, plain] = [run(chunk), run()];
    expectEqual(chunked.result, plain.result);
    chunked.state.forEach((values, index) => expect(relativeError(values, plain.state[index]!)).toBeLessThan(1e-5));
    expect(chunked.rest).toEqual(plain.rest);
  });

  it.each([true, false])("gives both end-to-end encoders theirs, shuffling BN %s", (shuffleBN) => {
    const run = (chunkSize?: number) => {
      const before = tf.memory().numTensors;
      const queryEncoder = createEncoder(encoderConfig, randomStream(1, "encoder"));
      const keyEncoder = copyEncoder(queryEncoder);
      const endToEnd = { queryEncoder, keyEncoder, temperature: 0.1, bnGroups: 4 };
      const encoders = [queryEncoder, keyEncoder];
      const step =
        chunkSize === undefined
          ? recorded((queryView, keyView, permutation) =>
              endToEndStep(endToEnd, { queryView, keyView, permutation: shuffleBN ? permutation : undefined }),
            )
          : inChunks(encoders, batch, 4, ([queries, keys]) =>
              endToEndStepInChunks({ queries: queries!, keys: keys!, temperature: 0.1 }, ofBatch, {
                size: chunkSize,
                permutation: shuffleBN ? permutation : undefined,
              }),
            );
      const result = outcome(step, encoders);
      encoders.forEach(disposeEncoder);
      expect(tf.memory().numTensors).toBe(before);
      return result;
    };
    expectEqual(run(chunk), run());
  });

  it("is not gradient accumulation: negatives of other chunks count", () => {
    const encoder = createEncoder(encoderConfig, randomStream(1, "encoder"));
    const simclr = { encoder, temperature: 0.1, bnGroups: 2 };
    const part = [0, 1].map((which) =>
      view(
        which,
        Int32Array.from({ length: chunk }, (_, row) => row),
      ),
    );
    const whole = simclrStep({ ...simclr, bnGroups: 8 }, { first: views[0], second: views[1] });
    const alone = simclrStep(simclr, { first: part[0]!, second: part[1]! });
    expect(alone.loss.arraySync()).toBeLessThan(whole.loss.arraySync() - 0.5);
    for (const { loss, accuracy, gradients } of [whole, alone]) tf.dispose([loss, accuracy, ...gradients]);
    tf.dispose(part);
    disposeEncoder(encoder);
  });
});
