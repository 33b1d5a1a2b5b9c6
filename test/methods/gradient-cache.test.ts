import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";
import { endToEndStep, endToEndStepInChunks } from "../../src/methods/end-to-end";
import { simclrStep, simclrStepInChunks } from "../../src/methods/simclr";
import type { StepResult } from "../../src/methods/step";
import { copyEncoder, createEncoder, disposeEncoder, type Encoder } from "../../src/nn/encoder";
import { relativeError } from "../engine/double-precision";
import { hashedImages } from "../nn/hashed";

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

describe("the gradient cache", () => {
  it("gives SimCLR the gradients of the whole batch, and one move of the running averages", () => {
    const run = (chunkSize?: number) => {
      const encoder = createEncoder(encoderConfig, randomStream(1, "encoder"));
      const simclr = { encoder, temperature: 0.1, bnGroups: 8 };
      const before = tf.memory().numTensors;
      const step =
        chunkSize === undefined
          ? simclrStep(simclr, { first: views[0], second: views[1] })
          : simclrStepInChunks(simclr, ofBatch, { size: chunkSize });
      const result = outcome(step, [encoder]);
      expect(tf.memory().numTensors).toBe(before);
      disposeEncoder(encoder);
      return result;
    };
    expectEqual(run(chunk), run());
  });

  it.each([true, false])("gives both end-to-end encoders theirs, shuffling BN %s", (shuffleBN) => {
    const run = (chunkSize?: number) => {
      const queryEncoder = createEncoder(encoderConfig, randomStream(1, "encoder"));
      const keyEncoder = copyEncoder(queryEncoder);
      const endToEnd = { queryEncoder, keyEncoder, temperature: 0.1, bnGroups: 4 };
      const encoders = [queryEncoder, keyEncoder];
      const before = tf.memory().numTensors;
      const step =
        chunkSize === undefined
          ? endToEndStep(endToEnd, {
              queryView: views[0],
              keyView: views[1],
              permutation: shuffleBN ? order : undefined,
            })
          : endToEndStepInChunks(endToEnd, ofBatch, {
              size: chunkSize,
              permutation: shuffleBN ? permutation : undefined,
            });
      const result = outcome(step, encoders);
      expect(tf.memory().numTensors).toBe(before);
      encoders.forEach(disposeEncoder);
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
