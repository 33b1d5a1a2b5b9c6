import { createProgram } from "../src/engine/program";
import { randomStream } from "../src/engine/random";
import type { TensorFunction } from "../src/engine/tensor-function";
import { tf } from "../src/engine/tf";
import { createMoco, disposeMoco, mocoStep, type MocoConfig, type MocoInputs } from "../src/methods/moco";
import { Sgd } from "../src/train/sgd";

/** MoCo's training step, optimizer included, as training records it. */
export function startMocoProgram(config: MocoConfig, batch: number, size: number) {
  const moco = createMoco(config, { encoder: randomStream(0, "encoder"), queue: randomStream(0, "queue") });
  const optimizer = Sgd.create(moco.queryEncoder.parameters);
  const view = { shape: [batch, size, size, 3] };
  const functions = {
    step: {
      inputs: {
        queryView: view,
        keyView: view,
        permutation: { shape: [batch], dtype: "int32" },
        learningRate: { shape: [] },
      },
      compute: ({ learningRate, ...inputs }) => {
        const { loss, gradients } = mocoStep(moco, inputs as unknown as MocoInputs);
        const options = { learningRate: learningRate as tf.Scalar, momentum: 0.9, weightDecay: 1e-4 };
        optimizer.apply(moco.queryEncoder.parameters, gradients[0]!, options);
        return { loss };
      },
    },
  } satisfies Record<string, TensorFunction>;
  const program = createProgram(functions, { atOnce: 2 });
  let step = 0;
  return {
    /** Takes a step and gives its loss. */
    step(queryView: tf.Tensor4D, keyView: tf.Tensor4D, learningRate: number): number {
      const permutation = tf.tensor1d(randomStream(0, "shuffle", step++).permutation(batch), "int32");
      const rate = tf.scalar(learningRate);
      const { loss } = program.run("step", { queryView, keyView, permutation, learningRate: rate });
      const [value] = loss.dataSync();
      tf.dispose([permutation, rate, loss]);
      return value!;
    },
    stop(): void {
      program.dispose();
      disposeMoco(moco);
      optimizer.dispose();
    },
  };
}
