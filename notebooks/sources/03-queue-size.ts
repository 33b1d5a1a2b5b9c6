// %% [markdown]
// # Size of the queue (Figure 3)
//
// Does a larger dictionary help? MoCo keeps its negatives in a queue: the keys of the last batches, so that the number of
// negatives K does not depend on the size of a batch (paper, section 3.2). In Figure 3, K goes from 256 to 65,536, and the
// ImageNet accuracy of a linear probe from 54.7 to 60.6 %.

// %% tags=["parameters"]
const preset: string = "quick"; // "smoke" shows nothing; "small": photographs, hours; "paper": the paper's own rows
const seeds: number = 1; // of what is trained; a verdict takes five
const anew: boolean = false; // false: show what was recorded; true: train
const dataset: string = "folder:imagenet"; // where ImageNet is, for preset "paper"

// %% [markdown]
// ## The answer
//
// As the recorded runs have it, judged by tests that were chosen before: on drawings (preset quick) and, as far as they are
// recorded, on photographs (preset small).

// %%
import { claimNotes, claimRows, judgementsOn, recordedJudgements } from "moco-kit";
import { showNotes, showTable } from "moco-kit";

const judged = judgementsOn(recordedJudgements(), { tables: ["queue-size"] });
showTable(claimRows(judged), {
  caption: "K and accuracy: the claims, the paper, and the recorded runs",
});
showNotes(claimNotes(judged));

// %% [markdown]
// What stands behind each, and the other measures beside the paper's, which is the linear probe.

// %%
import { agreementRows, footnotes, presetNamed, queueSizeAblation, recordedResult } from "moco-kit";

for (const at of ["quick", "small"].map(presetNamed)) {
  const recorded = recordedResult(queueSizeAblation(at), at);
  const [scale] = footnotes(recorded);
  showNotes([`Preset ${at.name}. ${scale}`]);
  const { cells, referenceLabel } = recorded.ablation;
  const largest = cells.at(-1)!.label;
  const ofLargest = agreementRows(recorded).filter(({ K }) => K === largest);
  if (ofLargest.length > 0)
    showTable(ofLargest, { caption: `${largest} against ${referenceLabel}, by every measure` });
}

// %% [markdown]
// ## What is trained
//
// K stays below the number of images, so that a queue rarely holds a key of the query's own image (notebook 05 counts them). A row
// is set beside the K of the paper that is as many batches long.

// %%
import { emojiCredit, loadData, parseDataName } from "moco-kit";

// Without training, the cells that show the step take what comes with the packages; the tables are the preset's.
const paper = preset === "paper";
const size = presetNamed(paper ? "quick" : preset);
const ablation = queueSizeAblation(size);
const stepSize = anew ? size : presetNamed("quick");
const { base } = stepSize.ablations;
const data = await loadData(parseDataName(base.dataset), { size: base.imageSize });
const { train, validation, test } = data;
console.log(
  `${train.labels.length} training, ${validation.labels.length} validation, ${test.labels.length} test images`,
);
console.log(
  `${ablation.cells.length} rows at preset ${size.name}: ${ablation.cells.map(({ label }) => label).join(", ")}`,
);
if (anew && !paper)
  console.log(
    `Notebooks 03 and 04 take about ${size.minutes * seeds} minutes on two cores, less what is trained.`,
  );
showNotes([emojiCredit]);

// %% [markdown]
// Two random views of the same images, made anew at each step: the query above, the key below. A query has to find its own
// key among K others.

// %% tags=["varies"]
import { augmentationPolicies, batchIndices, drawViews, showImages, tf } from "moco-kit";

const policy = augmentationPolicies[base.augmentation];
const unscaled = { ...data, mean: [0, 0, 0], std: [1, 1, 1] } as const;
const twelve = batchIndices(train, 12, 1, 1);
const views = drawViews(unscaled, twelve, { policy, seed: 1, step: 0 }).all();
await showImages(tf.concat(views), { columns: 12, text: "two views of twelve images" });
tf.dispose(views);

// %% [markdown]
// ## One row, step by step
//
// This loop trains the first row with nothing but parts of the library. `mocoStep` is Algorithm 1 up to the gradient
// (`src/methods/moco.ts`, one screen); all that it needs comes from a recipe, which is plain data with its sources. The step is
// recorded once, as one TensorFlow graph, so whatever changes from step to step is an input. It takes the first 100 steps;
// with `anew`, all of them.

// %%
const row = queueSizeAblation(stepSize).cells[0];
const { recipe } = row;
console.log(recipe);

// %% tags=["varies"]
import { setImmediate as letOthersRun } from "node:timers/promises";
import { batchesPerEpoch, createMoco, createProgram, disposeMoco } from "moco-kit";
import { extractFeatures, knn, learningRateAt, liveCurve, mocoStep } from "moco-kit";
import { type MocoInputs, randomNetwork, randomStream, Sgd } from "moco-kit";

const seed = 1;
const { method } = recipe;
const { encoder, batchSize, bnGroups, epochs, imageSize } = recipe;
if (method.kind !== "moco") throw new Error("The rows of this notebook are trained by MoCo.");
const perEpoch = batchesPerEpoch(train, batchSize);
const steps = anew ? epochs * perEpoch : Math.min(100, epochs * perEpoch);

const { queueSize, momentum, temperature } = method;
const random = {
  encoder: randomStream(seed, "initialization"),
  queue: randomStream(seed, "queue"),
};
const moco = createMoco({ encoder, queueSize, momentum, temperature, bnGroups }, random);
const optimizer = Sgd.create(moco.queryEncoder.parameters);

const view = { shape: [batchSize, imageSize, imageSize, 3] };
const order = { shape: [batchSize], dtype: "int32" as const };
const program = createProgram({
  step: {
    inputs: { queryView: view, keyView: view, permutation: order, learningRate: { shape: [] } },
    compute: ({ learningRate, ...inputs }) => {
      const { loss, accuracy, gradients } = mocoStep(moco, inputs as unknown as MocoInputs);
      optimizer.apply(moco.queryEncoder.parameters, gradients[0], {
        learningRate: learningRate as tf.Scalar,
        momentum: recipe.optimizer.momentum,
        weightDecay: recipe.optimizer.weightDecay,
      });
      return { loss, accuracy };
    },
  },
});

const losses: number[] = [];
let step = 0;

// %% [markdown]
// The loop. If you stop it, the same cell goes on from there.

// %% tags=["varies"]
const curve = liveCurve(`${row.label}, an open loop`);
for (; step < steps; step++) {
  await letOthersRun(); // the stop button is noticed here, between steps
  const drawn = drawViews(data, batchIndices(train, batchSize, seed, step), { policy, seed, step });
  const [queryView, keyView] = drawn.all();
  const shuffled = randomStream(seed, "shuffle BN", step).permutation(batchSize);
  const moment = { baseRate: recipe.learningRate, epoch: step / perEpoch, epochs };
  const inputs = {
    queryView,
    keyView,
    permutation: tf.tensor1d(shuffled, "int32"),
    learningRate: tf.scalar(learningRateAt(recipe.schedule, moment)),
  };
  const { loss, accuracy } = program.run("step", inputs);
  losses.push(loss.dataSync()[0]);
  const values = { loss: losses[step], "pretext accuracy (%)": 100 * accuracy.dataSync()[0] };
  curve.add({ step: step + 1, values });
  tf.dispose([...Object.values(inputs), loss, accuracy]);
}
curve.finish();

// %% [markdown]
// What the encoder has learned, frozen: features of every image, and the first layer's filters. Then its memory is freed.

// %% tags=["varies"]
const [bank, queries] = [train, validation].map((part) =>
  extractFeatures(moco.queryEncoder, data, part),
);
const filters = tf.tidy(() =>
  tf.transpose(moco.queryEncoder.parameters.tensor<tf.Tensor4D>("conv1.weight"), [3, 0, 1, 2]),
);
program.dispose();
optimizer.dispose();
disposeMoco(moco);
const { accuracy: found } = knn(bank, queries, {
  ...stepSize.knn,
  classCount: train.classes.length,
});
console.log(`kNN on validation after ${step} steps: ${(100 * found).toFixed(1)} %`);

// %% [markdown]
// ## All rows, by one call
//
// `reproduceAblation` trains every row by the same step, keeps a checkpoint in `runs/` every half minute, and evaluates each
// frozen encoder once on the test part, next to random networks and to the pixels themselves. Every choice (rate of the probe,
// strength of the regression) is made on the validation part. If you stop it, or the machine does, the same cell goes on.
//
// With `preset = "paper"` the rows are the paper's own, on ImageNet: `reproducePaper` trains each for its 200 epochs and a linear
// classifier on it by the paper's protocol, days on a GPU for a row. Without `anew`, a row that was not trained says "not run".

// %%
import { liveTraining, reproduceAblation, stopRequested } from "moco-kit";
import { paperAblation, paperResult, reproducePaper } from "moco-kit";

const show = liveTraining();
const paperRows = paperAblation("queue-size", dataset);
const ofPaper = () =>
  reproducePaper(paperRows, {
    stopRequested,
    onProgress: (one, progress) => show(one.label, progress),
  });
const ofPreset = () =>
  reproduceAblation(ablation, data, size, {
    seeds,
    stopRequested,
    onProgress: (one, seed, progress) => show(`${one.label}, seed ${seed}`, progress),
  });
const recorded = () => (paper ? paperResult(paperRows) : recordedResult(ablation, size));
const result = anew ? await (paper ? ofPaper() : ofPreset()) : recorded();

// %% [markdown]
// Did the open loop do the same? Here is its mean loss up to the first point of the run's own curve, and the run's.

// %% tags=["varies"]
const first = result.rows[0].runs[0]?.curve.find(({ step }) => step <= losses.length);
if (size === stepSize && first !== undefined) {
  const mean = losses.slice(0, first.step).reduce((sum, loss) => sum + loss, 0) / first.step;
  console.log(
    `Mean loss of steps 1 to ${first.step}: open loop ${mean.toFixed(4)}, the run ${first.loss.toFixed(4)}`,
  );
}

// %% [markdown]
// ## The table
//
// Published numbers are ImageNet accuracies of a linear probe; ours are of a far smaller data set and a far narrower network, so
// compare directions and not values. The paper's own measure is the linear probe trained by SGD. The second table has the same
// as numbers: danfojs sorts them and computes with them.

// %%
import { DataFrame } from "danfojs-node";
import { accuracyNumbers, accuracyRows } from "moco-kit";

showTable(accuracyRows(result), {
  caption: `${result.ablation.title}, ${result.ablation.paper}`,
});
showNotes(footnotes(result));

const ofProbe = accuracyNumbers(result).filter(({ measure }) => measure === "linear probe");
if (ofProbe.length > 0)
  showTable(new DataFrame(ofProbe).sortValues("accuracy", { ascending: false }), {
    caption: "By the linear probe, best first (%)",
  });

// %%
import { ablationFigure, showChart } from "moco-kit";

showChart(ablationFigure(result));

// %% [markdown]
// ## Each row against the smallest queue
//
// By every measure, on the same test images. The sign is compared with the paper's, by which accuracy rises with K. "Sign and
// interval" describes by 95 % intervals, not adjusted for the number of rows; verdicts stand on the first screen. A larger queue
// also makes the task harder, so the curves below show where each row stood when its training ended.

// %%
import { queueRows, trainingFigure } from "moco-kit";

const agreements = agreementRows(result);
if (agreements.length > 0)
  showTable(agreements, {
    caption: `Each row against ${result.ablation.referenceLabel}`,
  });
if (result.rows.some(({ runs }) => runs.some((run) => run.curve.length > 0))) {
  showTable(queueRows(result), { caption: "What the queue holds besides true negatives" });
  showChart(trainingFigure(result));
}

// %% [markdown]
// ## Look inside
//
// On the left an image of the validation part, beside it its nearest neighbors among the training images: by a network that
// was never trained, and by the one of the open loop above.

// %% tags=["varies"]
import { disposeEncoder, showNearest } from "moco-kit";

const untrained = randomNetwork(encoder, data, seed);
const [bankBefore, queriesBefore] = [train, validation].map((part) =>
  extractFeatures(untrained, data, part),
);
disposeEncoder(untrained);

const untrainedBank = { set: train, features: bankBefore };
await showNearest("never trained", untrainedBank, { set: validation, features: queriesBefore });
const trainedBank = { set: train, features: bank };
await showNearest(`after ${step} steps`, trainedBank, { set: validation, features: queries });

// %% [markdown]
// The filters of the first layer, each stretched to the full range of colors.

// %% tags=["varies"]
const stretched = tf.tidy(() => {
  const [low, high] = [tf.min(filters, [1, 2, 3], true), tf.max(filters, [1, 2, 3], true)];
  return tf.div<tf.Tensor4D>(tf.sub(filters, low), tf.sub(high, low));
});
await showImages(stretched, { columns: 8, text: "filters of the first layer", enlargement: 14 });
tf.dispose([stretched, filters]);

// %% [markdown]
// ## What to try next
//
// - Set `anew = true` and run all cells; with `seeds = 5` the answer above has a verdict of your own runs (`npx moco claims --own`).
// - Put another K into the open loop: `const method = { ...recipe.method, queueSize: 2048 }` in place of the recipe's. Where does it
//   stop helping?
// - Notebook 04 keeps K and turns the other knob, the momentum m. Notebook 05 looks at how old the keys of a queue get.
