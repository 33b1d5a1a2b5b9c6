// %% [markdown]
// # What a queue does to its keys: five studies
//
// The paper rests on three arguments that it shows little of. Shuffling BN keeps the network from cheating (Figure A.1). A
// slowly moving key encoder keeps the queue consistent (section 3.2), which nobody has drawn. And m = 0.999 is simply good
// (section 4.1), at one length of training. This notebook measures them, and two more: how many negatives are none, and what
// InfoNCE says about mutual information.

// %% tags=["parameters"]
const preset: string = "quick"; // "smoke" trains in two minutes and shows nothing
const seed: number = 1;
const anew: boolean = false; // false: show what was recorded; true: train

// %% [markdown]
// ## The answer
//
// Each study is one function: its axes go in; plain numbers, a chart and one sentence come out. Here are the sentences of the
// runs that are shown below, made from their numbers. They rest on one seed of a small network, describe it, and prove nothing
// about ImageNet. `docs/claims.md` lists what is commonly claimed and doubted.

// %%
import { falseNegatives, informationBound, liveTraining, loadData } from "moco-kit";
import { momentumLengthStudy, observeStaleness, parseDataName, presetNamed } from "moco-kit";
import { recordedStudies, runCell, showNotes, showTable, shufflingStudy } from "moco-kit";
import { stalenessStudy } from "moco-kit";
import { stopRequested, studyPlan, workLeft, type FindRun } from "moco-kit";

const size = presetNamed(preset);
const plan = studyPlan(size);
const data = await loadData(parseDataName(size.base.dataset), { size: size.base.imageSize });
const { train, validation, test } = data;
if (anew) {
  const left = workLeft(plan, seed, data.checksum);
  console.log(
    `${left.trainings} trainings are left, about ${left.minutes} min on two quiet cores; what was trained before, also by another notebook, is not trained again.`,
  );
}

const recorded = recordedStudies(plan, size, seed, data.checksum);
const show = liveTraining();
const findRun: FindRun = anew
  ? (cell) =>
      runCell(cell.recipe, seed, data, size, {
        onProgress: (progress) => show(`${cell.label}, seed ${seed}`, progress),
        stopRequested,
      })
  : recorded.findRun;
const observed: typeof recorded.observed = anew
  ? (cell) =>
      observeStaleness(cell.recipe, seed, data, plan.sizes.staleness, {
        onProgress: (progress) => show(`${cell.label}, seed ${seed}`, progress),
        stopRequested,
      })
  : recorded.observed;

const shuffling = await shufflingStudy(plan.shuffling, findRun, validation.labels.length);
const staleness = await stalenessStudy(plan.staleness, observed);
const momentumLength = await momentumLengthStudy(plan.momentumLength, findRun, {
  stepsPerEpoch: Math.floor(train.labels.length / size.base.batchSize),
  validationImages: validation.labels.length,
});
const negatives = falseNegatives(train, {
  queueSizes: plan.sizes.falseNegatives.queueSizes,
  epochs: plan.sizes.falseNegatives.epochs,
  batchSize: size.base.batchSize,
  seed,
});
const bound = await informationBound(plan.informationBound, findRun);

// %%
showTable(
  [
    {
      question: "D3: are the queue's older keys inconsistent, and does it matter?",
      finding: staleness.finding,
    },
    { question: "D4: does the best m have to be searched for?", finding: momentumLength.finding },
    { question: "D5: what does InfoNCE say of mutual information?", finding: bound.finding },
    {
      question: "Figure A.1: do batch statistics give the positive away?",
      finding: shuffling.finding,
    },
    {
      question: "Section 3.2: how many of the queue's negatives are none?",
      finding: negatives.finding,
    },
  ],
  { caption: `Preset ${preset}, seed ${seed}` },
);

// %%
import { emojiCredit } from "moco-kit";

console.log(
  `${train.labels.length} training, ${validation.labels.length} validation, ${test.labels.length} test images`,
);
showNotes([emojiCredit]);

// %% [markdown]
// ## One step in the open: does the shuffle change what is learned from?
//
// The key of each query with the shuffle and without it, everything else the same: the same encoder, the same views, two groups
// of batch normalization. Without the shuffle a query and its key are normalized with the same companions. The cosine of the two
// keys says how much of a key is its companions; the last row, how well each kind of key answers to its query.

// %% tags=["varies"]
import { augmentationPolicies, batchIndices, createEncoder, disposeEncoder } from "moco-kit";
import { drawViews, encode, randomStream, tf } from "moco-kit";

const { batchSize } = size.base;
const encoder = createEncoder(size.base.encoder, randomStream(seed, "initialization"));
const views = { policy: augmentationPolicies[size.base.augmentation], seed, step: 0 };
const [queryView, keyView] = drawViews(data, batchIndices(train, batchSize, seed, 0), views).all();
const permutation = randomStream(seed, "shuffle BN", 0).permutation(batchSize);
const back = new Int32Array(batchSize);
permutation.forEach((source, position) => (back[source] = position));
const groups = { bnGroups: 2 };
const cosines = tf.tidy(() => {
  const order = tf.tensor1d(permutation, "int32");
  const queries = encode(encoder, queryView, groups);
  const plain = encode(encoder, keyView, groups);
  const elsewhere = encode(encoder, tf.gather(keyView, order), groups);
  const shuffled = tf.gather(elsewhere, tf.tensor1d(back, "int32"));
  const cosine = (a: tf.Tensor2D, b: tf.Tensor2D) => tf.mean(tf.sum(tf.mul(a, b), 1)).dataSync()[0];
  return [cosine(plain, shuffled), cosine(queries, plain), cosine(queries, shuffled)];
});
tf.dispose([queryView, keyView]);
disposeEncoder(encoder);
showTable([
  { compared: "a key with the shuffle, and without it", "mean cosine": cosines[0].toFixed(4) },
  { compared: "query and key, same companions", "mean cosine": cosines[1].toFixed(4) },
  { compared: "query and key, shuffled", "mean cosine": cosines[2].toFixed(4) },
]);

// %% [markdown]
// ## Shuffling BN (Figure A.1)
//
// Batch normalization lets the images of a group tell on each other: a query's positive may be recognized by the statistics of
// its group alone. The paper's remedy is to normalize the keys in other groups than their queries. Without it, its pretext
// accuracy shoots up and its kNN accuracy falls behind.
//
// The axes: the shuffle on and off, and batch normalization in 1, 2 and 8 groups of a batch, for MoCo and for the end-to-end
// mechanism. With one group the shuffle only reorders the batch and changes nothing, so that training is run once for both.
// MoCo's pretext accuracy starts near 100 % everywhere: until the queue is full, its keys are random vectors.

// %%
import { showChart, shufflingFigures, shufflingRows } from "moco-kit";

showTable(shufflingRows(shuffling), {
  caption: `Shuffling BN, epochs: ${plan.sizes.shuffling.epochs}`,
});
for (const figure of shufflingFigures(shuffling)) showChart(figure);
showNotes([shuffling.finding]);

// %% [markdown]
// ## How stale is the dictionary?
//
// *A common doubt: the older keys of the queue come from older encoders. How inconsistent are they, and does it matter?*
//
// Queue and memory bank are read by one measure: 1 − cosine between a stored key and what the present encoder (of the queue:
// the key encoder) makes of the same view, in the same groups and the same shuffle, by the age of the key in steps. A queue's
// key of age 0 has not drifted by definition. An entry of the bank has one more reason to be elsewhere: it keeps a part of its
// image's older representations, which came from other views. "keeps 0" shows the bank without that part, "keeps 0.5" as
// instance discrimination has it.
//
// Tables by age are means over the second half of training, when every age is there. Loss variance is half the mean square of
// the loss's change from one step to the next.

// %%
import { stalenessFigures, stalenessRows } from "moco-kit";

showTable(stalenessRows(staleness), { caption: "Drift by age in steps" });
for (const figure of stalenessFigures(staleness).slice(0, -1)) showChart(figure);

// %% [markdown]
// Does the drift matter to the pretext task? The oldest part of the queue is taken out of the negatives, for measuring only:
// the training does not change. Fewer negatives make the task easier by themselves, so as many keys taken out at random stand
// beside it (the expectation over all choices). If stale keys were easier to tell from the positive, taking them out would
// help less than taking out any. The standard error is that of the spread over the readings.

// %%
import { maskedRows } from "moco-kit";

showTable(maskedRows(staleness), { caption: "Pretext accuracy with a part of the queue masked" });
showChart(stalenessFigures(staleness).slice(-1)[0]);
showNotes([staleness.finding]);

// %% [markdown]
// ## m against the length of training
//
// *A common doubt: the best m has to be searched for, at a cost.*
//
// The key encoder averages over about 1 / (1 − m) steps. Where that is more than a third of the training, the key encoder has
// hardly left its initial weights when training ends: such a cell is marked "too short to judge", whatever its number. Each
// length has a cosine schedule of its own. The measure is kNN on validation, because choosing m is a choice.

// %%
import { momentumLengthMap, momentumLengthRows, showHeatMap } from "moco-kit";

showTable(momentumLengthRows(momentumLength), {
  caption: `kNN on validation by m and length, K = ${size.momentumAblationQueueSize}`,
});
showHeatMap(momentumLengthMap(momentumLength));
showNotes([momentumLength.finding]);

// %% [markdown]
// ## False negatives
//
// Some of the negatives are none: a key of the query's own image from an epoch before, of its twin (the same emoji by another
// hand), of its class. The order of the images is a function of the seed, so the shares are counted exactly, without
// training. On ImageNet the paper's K stays far below the number of images; the last K here does not, and says so.

// %%
import { falseNegativeFigure, falseNegativeRows } from "moco-kit";

showTable(falseNegativeRows(negatives), {
  caption: `What the queue holds besides true negatives, ${plan.sizes.falseNegatives.epochs} epochs`,
});
showChart(falseNegativeFigure(negatives));
showNotes([negatives.finding]);

// %% [markdown]
// ## The bound on mutual information
//
// *A common doubt: how InfoNCE relates to mutual information is left open.*
//
// The mutual information of two views is at least log(K + 1) minus the loss (van den Oord et al., 2018). The bound can never
// say more than its ceiling log(K + 1), however much the views share; a loss above chance bounds nothing. It holds for
// independent negatives of the present encoder, which a queue's keys are not, so the curve is an estimate. It begins when the
// queue is full of real keys. The trainings are those of notebook 03.

// %%
import { informationBoundFigure, informationBoundRows } from "moco-kit";

showTable(informationBoundRows(bound), { caption: "InfoNCE's bound and its ceiling" });
showChart(informationBoundFigure(bound));
showNotes([bound.finding]);

// %% [markdown]
// ## What to try next
//
// - Set `anew = true` and run all cells; another `seed` says how much of a finding is this one's.
// - The axes are plain data (`plan.sizes`): ask for other ages of keys, or for eight groups in the open step above.
// - Notebook 06 asks what these encoders are worth for detection.
