import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";
import { contrastAccuracy, contrastLogits, infoNCE } from "../../src/methods/losses";
import { createMoco, disposeMoco, mocoStep, type Moco, type MocoConfig } from "../../src/methods/moco";
import { copyEncoder, disposeEncoder, encode, type Encoder } from "../../src/nn/encoder";
import { gradientsOf } from "../../src/nn/gradients";
import { Sgd } from "../../src/train/sgd";
import { relativeError } from "../engine/double-precision";
import { hashedImages } from "../weights/hashed";

const batchSize = 8;
const config: MocoConfig = {
  encoder: { architecture: "resnet18", width: 4, stem: "cifar", head: "mlp", dimension: 8 },
  queueSize: 24,
  momentum: 0.9,
  temperature: 0.2,
  bnGroups: 1,
};
const create = (changes: Partial<MocoConfig> = {}) =>
  createMoco({ ...config, ...changes }, { encoder: randomStream(1, "encoder"), queue: randomStream(1, "queue") });
const identity = Int32Array.from({ length: batchSize }, (_, index) => index);
const shuffled = Int32Array.of(5, 2, 7, 0, 3, 6, 1, 4);

/** One step on hashed views. */
function step(moco: Moco, permutation: Int32Array = identity, seed = 1) {
  const [query, key] = [hashedImages(2 * seed, batchSize, 8), hashedImages(2 * seed + 1, batchSize, 8)];
  const order = tf.tensor1d(permutation, "int32");
  const { loss, accuracy, gradients } = mocoStep(moco, { queryView: query, keyView: key, permutation: order });
  const values = gradients[0]!.dataSync<"float32">();
  const report = { loss: loss.arraySync(), accuracy: accuracy.arraySync(), gradient: values };
  tf.dispose([query, key, order, loss, accuracy, ...gradients]);
  return report;
}

/** What an encoder makes of hashed images, without touching its running averages. */
function encoded(encoder: Encoder, seed: number, groups = 1): tf.Tensor2D {
  const copy = copyEncoder(encoder);
  const vectors = tf.tidy(() => encode(copy, hashedImages(seed, batchSize, 8), { bnGroups: groups }));
  disposeEncoder(copy);
  return vectors;
}

describe("createMoco", () => {
  it("starts the key encoder as a copy of the query encoder, in memory of its own", () => {
    const moco = create();
    const { queryEncoder, keyEncoder } = moco;
    expect(keyEncoder.parameters.values.dataSync()).toEqual(queryEncoder.parameters.values.dataSync());
    queryEncoder.parameters.replace(tf.zeros([queryEncoder.parameters.size]));
    expect(keyEncoder.parameters.values.dataSync().some((value) => value !== 0)).toBe(true);
    disposeMoco(moco);
  });

  it("leaves no tensor behind when it is disposed", () => {
    const before = tf.memory().numTensors;
    disposeMoco(create());
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("mocoStep", () => {
  it("is Algorithm 1: momentum update, keys, logits against the queue as it was, then enqueue", () => {
    const moco = create();
    step(moco, identity, 5); // so that the encoders' running averages and the queue's pointer are not those of the start
    moco.queryEncoder.parameters.replace(tf.tidy(() => moco.queryEncoder.parameters.values.mul(1.1)));
    const [q, k] = [moco.queryEncoder, moco.keyEncoder].map((encoder) => encoder.parameters.values.dataSync());
    const queue = moco.queue.keys.clone();

    const { loss, accuracy } = step(moco);

    const updated = k!.map((value, index) => 0.9 * value + 0.1 * q![index]!);
    expect(relativeError(moco.keyEncoder.parameters.values.dataSync(), updated)).toBeLessThan(1e-6);
    expect(moco.queryEncoder.parameters.values.dataSync()).toEqual(q); // the optimizer's to move
    const [queries, keys] = [encoded(moco.queryEncoder, 2), encoded(moco.keyEncoder, 3)];
    const against = (negatives: tf.Tensor2D) =>
      tf.tidy(() => {
        const logits = contrastLogits(queries, keys, { negatives, temperature: 0.2 });
        return { loss: infoNCE(logits).arraySync(), accuracy: contrastAccuracy(logits).arraySync() };
      });
    expect(loss).toBeCloseTo(against(queue).loss, 4);
    expect(accuracy).toBe(against(queue).accuracy);
    expect(Math.abs(loss - against(moco.queue.keys).loss)).toBeGreaterThan(0.05);
    const rows = tf.tidy(() => tf.slice2d(moco.queue.keys, [batchSize, 0], [batchSize, -1]).dataSync());
    expect(relativeError(rows, keys.dataSync())).toBeLessThan(1e-5);
    expect(moco.queue.pointer).toBe(2 * batchSize);
    tf.dispose([queue, queries, keys]);
    disposeMoco(moco);
  });

  it("has the loss ln(K + 1) when all logits are equal", () => {
    const moco = create({ temperature: 1e6 });
    expect(step(moco).loss).toBeCloseTo(Math.log(25), 4);
    disposeMoco(moco);
  });

  it("gives no gradient to the keys", () => {
    // With m = 0 both encoders are equal, so a gradient through the keys would go to the same weights.
    const moco = create({ momentum: 0 });
    const query = copyEncoder(moco.queryEncoder);
    const queue = moco.queue.keys.clone();
    const fixedKeys = encoded(query, 3);
    const gradientWith = (keys: () => tf.Tensor2D) => {
      const images = hashedImages(2, batchSize, 8);
      const { loss, gradients } = gradientsOf([query.parameters], () =>
        infoNCE(contrastLogits(encode(query, images, { bnGroups: 1 }), keys(), { negatives: queue, temperature: 0.2 })),
      );
      const values = gradients[0]!.dataSync<"float32">();
      tf.dispose([images, loss, ...gradients]);
      return values;
    };
    const { gradient } = step(moco);
    expect(
      relativeError(
        gradient,
        gradientWith(() => fixedKeys),
      ),
    ).toBeLessThan(1e-4);
    const throughKeys = gradientWith(() => encode(query, hashedImages(3, batchSize, 8), { bnGroups: 1 }));
    expect(relativeError(gradient, throughKeys)).toBeGreaterThan(0.05);
    tf.dispose([queue, fixedKeys]);
    disposeEncoder(query);
    disposeMoco(moco);
  });

  it("keeps the number of tensors, optimizer included", () => {
    const moco = create({ bnGroups: 2 });
    const optimizer = Sgd.create(moco.queryEncoder.parameters);
    const [queryView, keyView] = [hashedImages(1, batchSize, 8), hashedImages(2, batchSize, 8)];
    const permutation = tf.tensor1d(shuffled, "int32");
    const counts: number[] = [];
    for (let count = 0; count < 4; count++) {
      const { loss, accuracy, gradients } = mocoStep(moco, { queryView, keyView, permutation });
      optimizer.apply(moco.queryEncoder.parameters, gradients[0]!, {
        learningRate: 0.1,
        momentum: 0.9,
        weightDecay: 1e-4,
      });
      tf.dispose([loss, accuracy, ...gradients]);
      counts.push(tf.memory().numTensors);
    }
    // The first step cuts the key encoder's tensors out of its vector.
    expect(new Set(counts.slice(1)).size).toBe(1);
    tf.dispose([queryView, keyView, permutation]);
    optimizer.dispose();
    disposeMoco(moco);
  });
});

describe("shuffling BN", () => {
  const keysAfter = (bnGroups: number, permutation: Int32Array) => {
    const moco = create({ bnGroups });
    const { loss } = step(moco, permutation);
    const keys = tf.tidy(() => tf.slice2d(moco.queue.keys, [0, 0], [batchSize, -1]).dataSync());
    const queries = tf.tidy(() => encoded(moco.queryEncoder, 2, bnGroups).dataSync());
    disposeMoco(moco);
    return { loss, keys, queries };
  };

  it("alone, without splitting the batch, changes nothing", () => {
    const [plain, shuffle] = [keysAfter(1, identity), keysAfter(1, shuffled)];
    expect(relativeError(shuffle.keys, plain.keys)).toBeLessThan(1e-4);
    expect(shuffle.loss).toBeCloseTo(plain.loss, 4);
  });

  it("with two groups changes the keys, and not the queries", () => {
    const [plain, shuffle] = [keysAfter(2, identity), keysAfter(2, shuffled)];
    expect(relativeError(shuffle.keys, plain.keys)).toBeGreaterThan(0.05);
    expect(shuffle.queries).toEqual(plain.queries);
  });

  it("normalizes the keys in the groups that the permutation says, and gives them back in their order", () => {
    const { keys } = keysAfter(2, shuffled);
    const moco = create();
    const expected = new Float32Array(keys.length);
    for (const group of [[...shuffled.slice(0, 4)], [...shuffled.slice(4)]]) {
      const vectors = tf.tidy(() =>
        encode(moco.keyEncoder, tf.gather(hashedImages(3, batchSize, 8), group), { bnGroups: 1 }).arraySync(),
      );
      vectors.forEach((vector, position) => expected.set(vector, group[position]! * 8));
    }
    expect(relativeError(keys, expected)).toBeLessThan(1e-4);
    disposeMoco(moco);
  });
});
