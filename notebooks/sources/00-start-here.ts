// %% [markdown]
// # Start here: what MoCo does, in ten steps
//
// _Momentum Contrast for Unsupervised Visual Representation Learning_ (He, Fan, Wu, Xie, Girshick, CVPR 2020) trains a network on
// images without labels. The task: two random views are made of an image; a **query**, the encoding of one view, must find its
// **key**, the encoding of the other, among the keys of other images. Three ideas make it work:
//
// - the other keys wait in a **queue**, so that their number does not depend on the size of a batch;
// - the keys come from an encoder of their own that follows the query encoder slowly, by **momentum**, so that keys in the queue
//   agree with each other;
// - the loss, **InfoNCE**, is that of a classifier with K + 1 classes, of which the own key is the right one.
//
// This notebook runs Algorithm 1 of the paper in the open. It needs no network and takes less than two minutes.

// %% tags=["parameters"]
const seed: number = 1;
const steps: number = 10;

// %% [markdown]
// ## Images, and two views of each
//
// The kit trains on about 2,300 drawings that come with the packages. The first row has eight of them; the two rows under it, two
// random views of each, with the augmentation of MoCo v2. A view keeps what is drawn and changes everything else.

// %% tags=["varies"]
import { augmentationPolicies, batchIndices, drawViews, emojiCredit } from "moco-kit";
import { imageTensor, loadData, showImages, showNotes, tf } from "moco-kit";

const imageSize = 32;
const data = await loadData("emoji", { size: imageSize });
const policy = augmentationPolicies["moco-v2"];
const eight = batchIndices(data.train, 8, seed, 1);
const plain = { ...data, mean: [0, 0, 0], std: [1, 1, 1] } as const; // without normalization, for the eye
const seen = [
  imageTensor(data.train, eight),
  ...drawViews(plain, eight, { policy, seed, step: 0 }).all(),
];
await showImages(tf.concat4d(seen, 0), {
  columns: 8,
  text: "eight images and two views of each",
  enlargement: 3,
});
tf.dispose(seen);
showNotes([emojiCredit]);

// %% [markdown]
// ## Two encoders and a queue
//
// The key encoder begins as a copy of the query encoder; the queue, with random keys. The network is a small ResNet-18. The paper
// has batches of 256, K = 65,536, a temperature of 0.07 and m = 0.999; ten steps need less.

// %%
import { copyEncoder, createEncoder, KeyQueue, randomStream, Sgd } from "moco-kit";

const [batchSize, queueSize, temperature, momentum] = [32, 128, 0.1, 0.9];
const config = {
  architecture: "resnet18",
  width: 16,
  stem: "cifar",
  head: "linear",
  dimension: 128,
} as const;
const queryEncoder = createEncoder(config, randomStream(seed, "encoder"));
const keyEncoder = copyEncoder(queryEncoder);
const queue = KeyQueue.random(queueSize, config.dimension, randomStream(seed, "queue"));
const optimizer = Sgd.create(queryEncoder.parameters);
console.log(
  `${queryEncoder.parameters.size.toLocaleString("en")} parameters, K = ${queueSize}, batches of ${batchSize}`,
);

// %% [markdown]
// ## A batch against the queue
//
// Encodings are unit vectors, so a dot product is their cosine. Each row is a query; the first column is its own key, the others
// are the first keys of the queue. Before training everything that is an image looks like everything else, and nothing like
// the random vectors: a task that is easy for the wrong reason. It becomes hard when real keys have come into the queue.

// %% tags=["varies"]
import { encode, showHeatMap, withoutGradient } from "moco-kit";

const columns = 9;
function showSimilarities(title: string): void {
  const [queryView, keyView] = drawViews(data, eight, { policy, seed, step: 1000 }).all();
  const cosines = tf.tidy(() => {
    // With copies: `encode` moves the running averages of the encoder that it is given.
    const [queries, keys] = [queryEncoder, keyEncoder].map((encoder, index) => {
      const copy = copyEncoder(encoder);
      const encoded = withoutGradient(() =>
        encode(copy, index === 0 ? queryView : keyView, { bnGroups: 1 }),
      );
      copy.parameters.dispose();
      copy.running.dispose();
      return encoded;
    });
    const own = tf.sum<tf.Tensor2D>(tf.mul(queries, keys), 1, true);
    const others = tf.matMul<tf.Tensor2D>(
      queries,
      tf.slice2d(queue.keys, [0, 0], [columns - 1, -1]),
      false,
      true,
    );
    return tf.concat2d([own, others], 1).arraySync();
  });
  tf.dispose([queryView, keyView]);
  showHeatMap({
    title,
    xTitle: "key",
    yTitle: "query",
    x: ["own", ...Array.from({ length: columns - 1 }, (_, index) => `queue ${index}`)],
    y: cosines.map((_, index) => String(index)),
    values: cosines,
    texts: cosines.map((row) => row.map((cosine) => cosine.toFixed(2))),
  });
}
showSimilarities("Cosines before training");

// %% [markdown]
// ## Ten steps, written out
//
// The loop below is Algorithm 1, line by line. `differentiate` runs the forward pass and gives the gradient; everything else is
// written out. Only the optimizer's SGD is taken as it is. (The library has these lines as `mocoStep`, in `src/methods/moco.ts`.)
// Shuffling BN, which the paper needs on several GPUs, is left out here: notebook 05 looks at it.

// %% tags=["varies"]
import { setImmediate as letOthersRun } from "node:timers/promises";
import { contrastAccuracy, contrastLogits, differentiate, infoNCE, liveCurve } from "moco-kit";

const start = tf.mul(queryEncoder.parameters.values, 1); // a copy: the values change in place
const distanceFromStart = (encoder: typeof queryEncoder): number =>
  tf.tidy(() => tf.norm(tf.sub(encoder.parameters.values, start)).dataSync()[0]);

const slots = queueSize / batchSize;
const history: {
  loss: number;
  accuracy: number;
  query: number;
  key: number;
  writtenAt: number[];
}[] = [];
let writtenAt = Array<number>(slots).fill(0); // the step that wrote each part of the queue; 0: a random key
const curve = liveCurve(`MoCo, ${steps} steps`);

for (let step = 1; step <= steps; step++) {
  // x_q, x_k = aug(x), aug(x): two views of a new batch.
  const images = batchIndices(data.train, batchSize, seed, step);
  const [queryView, keyView] = drawViews(data, images, { policy, seed, step }).all();

  // k = f_k.forward(x_k), k = k.detach(): keys get no gradient.
  const keys = withoutGradient(() => encode(keyEncoder, keyView, { bnGroups: 1 }));

  // q = f_q.forward(x_q), logits of the own key and of the queue, InfoNCE, and its gradient for f_q alone.
  const { loss, accuracy, gradients } = differentiate([queryEncoder], () => {
    const queries = encode(queryEncoder, queryView, { bnGroups: 1 });
    const logits = contrastLogits(queries, keys, { negatives: queue.keys, temperature });
    return { loss: infoNCE(logits), accuracy: contrastAccuracy(logits) };
  });

  // update(f_q.params): SGD.
  optimizer.apply(queryEncoder.parameters, gradients[0], {
    learningRate: 0.03,
    momentum: 0.9,
    weightDecay: 1e-4,
  });

  // f_k.params = m * f_k.params + (1 - m) * f_q.params: the momentum update.
  const followed = tf.tidy(() =>
    tf.add<tf.Tensor1D>(
      tf.mul(keyEncoder.parameters.values, momentum),
      tf.mul(queryEncoder.parameters.values, 1 - momentum),
    ),
  );
  keyEncoder.parameters.replace(followed);

  // enqueue(queue, k), dequeue(queue): this batch takes the place of the oldest.
  const slot = queue.pointer / batchSize;
  queue.replaceOldest(keys);

  writtenAt = writtenAt.map((before, index) => (index === slot ? step : before));
  const [lossNow, accuracyNow] = [loss.dataSync()[0], accuracy.dataSync()[0]];
  const [query, key] = [distanceFromStart(queryEncoder), distanceFromStart(keyEncoder)];
  history.push({ loss: lossNow, accuracy: accuracyNow, query, key, writtenAt });
  curve.add({ step, values: { loss: lossNow, "pretext accuracy (%)": 100 * accuracyNow } });
  tf.dispose([queryView, keyView, keys, loss, accuracy, ...gradients]);
  await letOthersRun();
}
curve.finish();
console.log(
  `Chance is ln(K + 1) = ${Math.log(queueSize + 1).toFixed(2)}: the loss of a network that knows nothing.`,
);

// %% [markdown]
// The loss begins near zero, because random keys are easy to tell from images, and rises while real keys come in. That is no
// failure: the task gets harder until the queue is full of real keys. Then learning begins.
//
// ## The queue turns over
//
// Each row is a step; each column, a part of the queue with the keys of one batch. A field says which step wrote it. After
// K / N steps the first random keys are gone for good, and the oldest batch is replaced each time.

// %%
showHeatMap({
  title: "Which step wrote which part of the queue",
  xTitle: "part",
  yTitle: "step",
  x: Array.from({ length: slots }, (_, index) => String(index + 1)),
  y: history.map((_, index) => String(index + 1)),
  values: history.map(({ writtenAt }) => writtenAt),
  texts: history.map(({ writtenAt }) =>
    writtenAt.map((step) => (step === 0 ? "random" : `step ${step}`)),
  ),
});

// %% [markdown]
// ## The key encoder follows
//
// How far each encoder has moved from where both began. With m = 0.9 the key encoder averages over about ten steps; the paper's
// m = 0.999, over a thousand.

// %% tags=["varies"]
import { showChart } from "moco-kit";

const x = history.map((_, index) => index + 1);
showChart({
  data: [
    { name: "query encoder", x, y: history.map(({ query }) => query), mode: "lines+markers" },
    { name: "key encoder", x, y: history.map(({ key }) => key), mode: "lines+markers" },
  ],
  layout: {
    title: { text: "Distance from the first weights" },
    xaxis: { title: { text: "step" } },
    yaxis: { title: { text: "Euclidean distance" } },
  },
});

// %% [markdown]
// ## The same batch again
//
// The queue holds keys of real images now. Look for rows in which another image's key is nearer than the own one: that is what
// is left to learn. Then the memory is freed. To train again, with other numbers, run the cells from "Two encoders and a queue"
// on (Run → Run Selected Cell and All Below).

// %% tags=["varies"]
showSimilarities(`Cosines after ${steps} steps`);
tf.dispose(start);
for (const { parameters, running } of [queryEncoder, keyEncoder]) {
  parameters.dispose();
  running.dispose();
}
optimizer.dispose();
queue.dispose();

// %% [markdown]
// ## From ten steps to the paper's tables
//
// A **recipe** is all that a training depends on, as plain data, and says where each of its values comes from. A **preset** is a
// size at which the kit runs the paper's tables:

// %%
import { presetNamed, presetNames, showTable } from "moco-kit";

showTable(
  presetNames.map((name) => {
    const { purpose, base, minutes, allMinutes } = presetNamed(name);
    const { encoder, imageSize: pixels, batchSize: batch, epochs } = base;
    return {
      preset: name,
      network: `${encoder.architecture}, width ${encoder.width}, ${pixels} px`,
      training: `batch ${batch}, ${epochs} epoch${epochs === 1 ? "" : "s"}`,
      "notebooks 03 and 04": `${minutes} min`,
      "all notebooks": `${allMinutes} min`,
      purpose,
    };
  }),
  { caption: "Presets; minutes on two cores, for one seed" },
);

// %% [markdown]
// There is one more, `paper`: the paper's own rows on ImageNet, days on a GPU for each. Notebooks 01 to 04 take it.
//
// **Where results live.** A training has a folder in `runs/`, named after its recipe, data and seed: checkpoint, curves,
// evaluation. What was trained is found there and not trained again; a changed recipe has another folder. What was recorded for
// the tables lies in `results/`, and the notebooks show it until you set `anew = true`.
//
// **How to go on.**
//
// | notebook             | asks                                                                            |
// | -------------------- | ------------------------------------------------------------------------------- |
// | 01-mechanisms        | end-to-end, memory bank or queue?                                               |
// | 02-linear-evaluation | which method, encoder, length and layer? Does PyTorch learn the same?           |
// | 03-queue-size        | does a larger dictionary help?                                                  |
// | 04-momentum          | must the key encoder move slowly?                                               |
// | 05-queue-studies     | shuffling BN, stale keys, m against length, false negatives, mutual information |
// | 06-voc-detection     | does pre-training serve detection?                                              |
// | 07-coco-transfer     | boxes and masks: is the gap closed in all tasks?                                |
//
// In a terminal, `npx moco claims` prints every claim of the paper with its verdict here, and `npm run reproduce` trains the main
// tables. `examples/moco.ts` is a whole training in about 80 lines, and docs/for-pytorch-users.md has the names.
