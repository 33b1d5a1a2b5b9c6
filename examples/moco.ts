/**
 * A whole training by MoCo out of the library's parts: data, views, step, optimizer, and kNN at the end.
 *
 *     npm run example -- moco
 */
import {
  augmentationPolicies,
  batchesPerEpoch,
  batchIndices,
  createMoco,
  createProgram,
  drawViews,
  extractFeatures,
  knn,
  learningRateAt,
  loadData,
  mocoStep,
  randomStream,
  Sgd,
  tf,
  type MocoInputs,
} from "moco-kit";

const [seed, imageSize, batchSize, epochs] = [1, 20, 64, 3];
const policy = augmentationPolicies["moco-v2"];

async function main(): Promise<void> {
  const data = await loadData("emoji", { size: imageSize });

  // Algorithm 1's f_q, f_k and queue, and PyTorch's SGD for f_q.
  const moco = createMoco(
    {
      encoder: { architecture: "resnet18", width: 16, stem: "cifar", head: "mlp", dimension: 128 },
      queueSize: 1024,
      momentum: 0.99,
      temperature: 0.1,
      bnGroups: 2,
    },
    { encoder: randomStream(seed, "encoder"), queue: randomStream(seed, "queue") },
  );
  const { queryEncoder } = moco;
  const optimizer = Sgd.create(queryEncoder.parameters);

  // The step is recorded once, as one TensorFlow graph: what changes from step to step is an input.
  const view = { shape: [batchSize, imageSize, imageSize, 3] };
  const program = createProgram({
    step: {
      inputs: {
        queryView: view,
        keyView: view,
        permutation: { shape: [batchSize], dtype: "int32" },
        learningRate: { shape: [] },
      },
      compute: ({ learningRate, ...inputs }) => {
        const { loss, accuracy, gradients } = mocoStep(moco, inputs as unknown as MocoInputs);
        const options = { learningRate: learningRate as tf.Scalar, momentum: 0.9, weightDecay: 1e-4 };
        optimizer.apply(queryEncoder.parameters, gradients[0]!, options);
        return { loss, accuracy };
      },
    },
  });

  const perEpoch = batchesPerEpoch(data.train, batchSize);
  for (let step = 0; step < epochs * perEpoch; step++) {
    const indices = batchIndices(data.train, batchSize, seed, step);
    const [queryView, keyView] = drawViews(data, indices, { policy, seed, step }).all() as [tf.Tensor4D, tf.Tensor4D];
    const order = randomStream(seed, "shuffle BN", step).permutation(batchSize);
    const rate = learningRateAt({ kind: "cosine" }, { baseRate: 0.03, epoch: step / perEpoch, epochs });
    const inputs = { queryView, keyView, permutation: tf.tensor1d(order, "int32"), learningRate: tf.scalar(rate) };
    const { loss, accuracy } = program.run("step", inputs);
    if ((step + 1) % perEpoch === 0) {
      const [lossNow, accuracyNow] = [loss.dataSync()[0]!, accuracy.dataSync()[0]!];
      console.log(`step ${step + 1}: loss ${lossNow.toFixed(3)}, pretext accuracy ${(100 * accuracyNow).toFixed(1)} %`);
    }
    // Tensors are freed by hand, as everywhere in tfjs.
    tf.dispose([...Object.values(inputs), loss, accuracy]);
  }

  const [train, validation] = [data.train, data.validation].map((set) => extractFeatures(queryEncoder, data, set));
  const { accuracy } = knn(train!, validation!, { k: 20, temperature: 0.1, classCount: data.train.classes.length });
  console.log(`kNN on validation: ${(100 * accuracy).toFixed(1)} %`);
}

void main();
