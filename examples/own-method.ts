/**
 * A method that the kit does not have, as a user adds it: BYOL (Grill et al., 2020), through the public interface alone.
 *
 *     npm run example -- own-method
 *
 * It trains, is interrupted and goes on, and is evaluated like any other method.
 */
import {
  copyEncoder,
  createEncoder,
  defineMethod,
  differentiate,
  forward,
  initialParameters,
  knn,
  extractFeatures,
  l2Normalize,
  loadCheckpoint,
  loadData,
  pretrain,
  tf,
  topOneAccuracy,
  twoViews,
  updateMomentumEncoder,
  withoutGradient,
  type Encoder,
  type Network,
  type Random,
} from "moco-kit";
import { join } from "node:path";
import { z } from "zod";

/** q of BYOL: fully connected, batch normalization, ReLU, fully connected. */
function createPredictor(dimension: number, hidden: number, random: Random): Network {
  return {
    parameters: initialParameters(
      [
        { name: "0.weight", shape: [dimension, hidden] },
        { name: "0.bias", shape: [hidden] },
        { name: "1.weight", shape: [hidden] },
        { name: "1.bias", shape: [hidden] },
        { name: "3.weight", shape: [hidden, dimension] },
        { name: "3.bias", shape: [dimension] },
      ],
      random,
    ),
  };
}

function predict({ parameters }: Network, projections: tf.Tensor2D): tf.Tensor2D {
  const linear = (x: tf.Tensor, name: string): tf.Tensor2D =>
    tf.add(tf.matMul(x, parameters.tensor(`${name}.weight`)), parameters.tensor(`${name}.bias`));
  const hidden = linear(projections, "0");
  const { mean, variance } = tf.moments(hidden, 0);
  const normalized = tf.mul(tf.sub(hidden, mean), tf.rsqrt(tf.add(variance, 1e-5)));
  const scaled = tf.add(tf.mul(normalized, parameters.tensor("1.weight")), parameters.tensor("1.bias"));
  return linear(tf.relu(scaled), "3");
}

export const byol = defineMethod({
  settings: z
    .object({
      kind: z.literal("byol"),
      /** tau of the paper's equation 1: how much of the target network stays at each step. */
      momentum: z.number().min(0).lt(1),
      /** Units of the predictor's hidden layer, 4096 in the paper. */
      hidden: z.number().int().positive(),
    })
    .strict(),
  trained: ["online", "predictor"],
  start: ({ momentum, hidden }, { encoder, bnGroups, random }) => {
    const online = createEncoder(encoder, random("encoder"));
    const target = copyEncoder(online);
    const predictor = createPredictor(encoder.dimension, hidden, random("predictor"));
    return {
      encoder: online,
      networks: { online, target, predictor },
      views: twoViews,
      step: ({ views: [first, second] }) => {
        updateMomentumEncoder(target, online, { momentum });
        const project = (network: Encoder, view: tf.Tensor4D) => forward(network, view, { bnGroups });
        // Each view is once predicted and once the target.
        const targets = [second!, first!].map((view) => withoutGradient(() => l2Normalize(project(target, view))));
        return differentiate([online, predictor], () => {
          const predictions = [first!, second!].map((view) => l2Normalize(predict(predictor, project(online, view))));
          const cosines = predictions.map((one, index) => tf.mean(tf.sum(tf.mul(one, targets[index]!), 1)));
          const loss = tf.sub<tf.Scalar>(4, tf.mul(2, tf.addN(cosines)));
          // Not part of BYOL, which has no negatives: the share of predictions whose own target is the nearest of the batch.
          const nearest: tf.Tensor2D = tf.matMul(predictions[0]!, targets[0]!, false, true);
          const own = tf.range(0, nearest.shape[0], 1, "int32");
          return { loss, accuracy: topOneAccuracy(nearest, own) };
        });
      },
    };
  },
});

async function main(): Promise<void> {
  const recipe = {
    name: "byol",
    source: "Grill et al., 2020, equations 1 and 2; sizes: what trains in a minute",
    dataset: "emoji",
    imageSize: 20,
    encoder: { architecture: "resnet18", width: 16, stem: "cifar", head: "mlp", dimension: 128 },
    method: { kind: "byol", momentum: 0.99, hidden: 256 },
    batchSize: 64,
    bnGroups: 1,
    augmentation: "moco-v2",
    optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-4 },
    learningRate: 0.03,
    schedule: { kind: "cosine" },
    epochs: 3,
  } as const;
  const data = await loadData("emoji", { size: recipe.imageSize });
  const directory = join(__dirname, "byol-run");
  // Stop it with Ctrl-C and run it again: it goes on from its last checkpoint.
  for await (const { step, totalSteps, loss } of pretrain(recipe, data, { seed: 1, directory, method: byol })) {
    if (step % 10 === 0) console.log(`step ${step} of ${totalSteps}: loss ${loss.toFixed(3)}`);
  }
  const { encoder } = loadCheckpoint(join(directory, "checkpoint.safetensors"), byol).state.method;
  const [train, validation] = [data.train, data.validation].map((set) => extractFeatures(encoder, data, set));
  const { accuracy } = knn(train!, validation!, { k: 20, temperature: 0.1, classCount: data.train.classes.length });
  console.log(`kNN on validation: ${(100 * accuracy).toFixed(1)} %`);
}

if (process.argv[1] === __filename) void main();
