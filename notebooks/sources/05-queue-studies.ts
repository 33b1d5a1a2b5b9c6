// %% [markdown]
// # What a queue does to its keys: five studies
//
// The paper rests on three arguments that it shows little of. Shuffling BN keeps the network from cheating (Figure A.1). A
// slowly moving key encoder keeps the keys of the queue consistent (section 3.2); the paper draws no key. And m = 0.999 is
// simply good (section 4.1), at one length of training. This notebook measures them, and two more: how many of the negatives
// are false, and what InfoNCE says about mutual information.

// %% tags=["parameters"]
const preset: string = "quick"; // "smoke" trains in two minutes and shows nothing
const seed: number = 1;
const anew: boolean = false; // false: show what was recorded; true: train

// %% [markdown]
// ## The answer
//
// As the recorded runs of preset quick have it: each study's sentence is made from its numbers. They are of a small network and,
// where nothing else is said, of one seed; they describe it, and prove nothing about ImageNet. `docs/claims.md` lists what is
// commonly claimed and doubted; D3, D4 and D5 are doubts of that list.

// %%
import { loadData, parseDataName, presetNamed, recordedStudies, showTable } from "moco-kit";
import { studyAnswers, studyPlan } from "moco-kit";

const quick = presetNamed("quick");
const drawings = await loadData(parseDataName(quick.base.dataset), { size: quick.base.imageSize });
const recorded = await recordedStudies(studyPlan(quick), drawings);
showTable(studyAnswers(recorded), { caption: "As recorded at preset quick" });

// %% [markdown]
// ## What is trained
//
// Each study is a few axes, as plain data: `sizes` has them. Change one here, for example
// `const sizes = { ...studySizes(size), shuffling: { groups: [4], epochs: 2 } };`, and set `anew = true` above: other axes
// are other trainings, which are not recorded.

// %%
import { emojiCredit, liveTraining, showNotes, stopRequested, studySizes } from "moco-kit";
import { trainStudies, workLeft } from "moco-kit";

const size = presetNamed(preset);
const sizes = studySizes(size);
const plan = studyPlan(size, sizes);
const data = await loadData(parseDataName(size.base.dataset), { size: size.base.imageSize });
const { train, validation, test } = data;
console.log(
  `${train.labels.length} training, ${validation.labels.length} validation, ${test.labels.length} test images`,
);
console.log(sizes);
showNotes([emojiCredit]);

// %%
if (anew) {
  const left = workLeft(plan, seed, data.checksum);
  console.log(
    `${left.trainings} trainings are left, about ${left.minutes} min on two quiet cores; what was trained before, also by another notebook, is not trained again.`,
  );
}
const show = liveTraining();
const studies = anew
  ? await trainStudies(plan, data, {
      seed,
      stopRequested,
      onProgress: (cell, progress) => show(`${cell.label}, seed ${seed}`, progress),
    })
  : await recordedStudies(plan, data, seed);
if (anew) showTable(studyAnswers(studies), { caption: `Your runs, seed ${seed}` });

// %% [markdown]
// ## Algorithm 1 with the shuffle and without it
//
// The first steps of two of these trainings, written out with parts of the library: MoCo with batch normalization in many groups of
// the batch, as on many GPUs. The two loops differ in one line, the order in which the keys go to their groups. Without the
// shuffle it is the order of the queries: a query and its key are then normalized together with the same images, whose
// statistics can give the positive away. `mocoStep` is Algorithm 1 up to the gradient (`src/methods/moco.ts`, one screen).

// %% tags=["varies"]
import { setImmediate as letOthersRun } from "node:timers/promises";
import { augmentationPolicies, batchesPerEpoch, batchIndices, createMoco } from "moco-kit";
import { createProgram, disposeMoco, drawViews, encode, learningRateAt, liveCurve } from "moco-kit";
import { mocoStep, type MocoInputs, randomStream, Sgd, tf } from "moco-kit";

// The last two rows of MoCo: in the most groups, with the shuffle and without it.
const pair = plan.shuffling
  .filter(({ method, shuffle }) => method === "moco" && shuffle !== "either")
  .slice(-2);
/** Places in the training set: a query, then the six keys of the queue that are most like it. */
const hardest: number[][] = [];
for (const { label, recipe } of pair) {
  const { method, encoder, batchSize, bnGroups, epochs, imageSize } = recipe;
  if (method.kind !== "moco") throw new Error("These rows are trained by MoCo.");
  const perEpoch = batchesPerEpoch(train, batchSize);
  const steps = Math.min(60, epochs * perEpoch);
  const imagesOf = (step: number) => batchIndices(train, batchSize, seed, step);
  const policy = augmentationPolicies[recipe.augmentation];
  const viewsOf = (step: number) =>
    drawViews(data, imagesOf(step), { policy, seed, step }).all() as [tf.Tensor4D, tf.Tensor4D];

  const random = {
    encoder: randomStream(seed, "initialization"),
    queue: randomStream(seed, "queue"),
  };
  const moco = createMoco({ ...method, encoder, bnGroups }, random);
  const optimizer = Sgd.create(moco.queryEncoder.parameters);
  const view = { shape: [batchSize, imageSize, imageSize, 3] };
  const integers = { shape: [batchSize], dtype: "int32" as const };
  const program = createProgram({
    step: {
      inputs: {
        queryView: view,
        keyView: view,
        permutation: integers,
        images: integers,
        learningRate: { shape: [] },
      },
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
  const curve = liveCurve(`${label}, an open loop`);
  try {
    for (let step = 0; step < steps; step++) {
      const [queryView, keyView] = viewsOf(step);
      const order = method.shuffleBN
        ? randomStream(seed, "shuffle BN", step).permutation(batchSize)
        : Int32Array.from({ length: batchSize }, (_, place) => place);
      const moment = { baseRate: recipe.learningRate, epoch: step / perEpoch, epochs };
      const inputs = {
        queryView,
        keyView,
        permutation: tf.tensor1d(order, "int32"),
        images: tf.tensor1d(imagesOf(step), "int32"),
        learningRate: tf.scalar(learningRateAt(recipe.schedule, moment)),
      };
      const { loss, accuracy } = program.run("step", inputs);
      const values = {
        loss: loss.dataSync()[0],
        "pretext accuracy (%)": 100 * accuracy.dataSync()[0],
      };
      curve.add({ step: step + 1, values });
      tf.dispose([...Object.values(inputs), loss, accuracy]);
      await letOthersRun(); // the stop button is noticed here
    }
    curve.finish();
    if (!method.shuffleBN) continue;

    // For the look inside below: the next queries against the queue as it is now.
    const nearest = tf.tidy(() => {
      const queries = encode(moco.queryEncoder, viewsOf(steps)[0], { bnGroups });
      const cosines = tf.matMul(queries, moco.queue.keys, false, true);
      return tf.topk(cosines, 6).indices.arraySync() as number[][];
    });
    const keyImages = moco.queue.images;
    const queryImages = imagesOf(steps);
    hardest.splice(0);
    hardest.push(
      ...nearest.map((keys, query) => [queryImages[query], ...keys.map((key) => keyImages[key])]),
    );
  } finally {
    // Also where the loop was stopped.
    program.dispose();
    optimizer.dispose();
    disposeMoco(moco);
  }
}

// %% [markdown]
// ## Look inside: the keys that a query finds hardest
//
// Of the open loop with the shuffle: on the left an image, beside it the images of the six keys in the queue that are most like its
// query, the hardest negatives first. Some of them may be no negatives at all: of the same class, the other artist's drawing of
// the same emoji, or the image itself from an epoch before.

// %% tags=["varies"]
import { imageTensor, showImages } from "moco-kit";

const shown = hardest.slice(0, 6);
const pictures = imageTensor(train, Int32Array.from(shown.flat()));
await showImages(pictures, { columns: 7, text: "images, and the hardest keys of their queries" });
pictures.dispose();

const sameClass = hardest.flatMap(([query, ...keys]) =>
  keys.map((key): number => (train.labels[key] === train.labels[query] ? 1 : 0)),
);
const share = sameClass.reduce((sum, one) => sum + one, 0) / sameClass.length;
console.log(
  `Of the six hardest keys of ${hardest.length} queries, ${(100 * share).toFixed(1)} % are of the query's own class; ` +
    `of keys drawn at random ${(100 * studies.negatives.classAtRandom).toFixed(1)} % would be.`,
);

// %% [markdown]
// ## Shuffling BN (Figure A.1)
//
// Batch normalization lets the images of a group reveal each other: a query's positive may be recognized by the statistics of
// its group alone. The paper's remedy is to normalize the keys in other groups than their queries. Without it, its pretext
// accuracy shoots up and its kNN accuracy falls behind.
//
// The axes: the shuffle on and off, and batch normalization in 1, 2 and 8 groups of a batch, for MoCo and for the end-to-end
// mechanism. With one group the shuffle only reorders the batch and changes nothing, so that training is run once for both.

// %%
import { showChart, shufflingFigures, shufflingNotes, shufflingRows } from "moco-kit";

showTable(shufflingRows(studies.shuffling), {
  caption: `Shuffling BN, epochs: ${sizes.shuffling.epochs}`,
});
for (const figure of shufflingFigures(studies.shuffling)) showChart(figure);
showNotes([studies.shuffling.finding, ...shufflingNotes(studies.shuffling)]);

// %% [markdown]
// ## How stale is the dictionary?
//
// *A common doubt: the older keys of the queue come from older encoders. How inconsistent are they, and does it matter?* (D3)
//
// Queue and memory bank are read by one measure: 1 − cosine between a stored key and what the present encoder (of the queue:
// the key encoder) makes of the same view, in the same groups and the same shuffle, by the age of the key in steps. A queue's
// key of age 0 has not drifted by definition. An entry of the bank has one more reason to be elsewhere: it keeps a part of its
// image's older representations, which came from other views. "keeps 0" shows the bank without that part, "keeps 0.5" as
// instance discrimination has it.
//
// Section 3.2 expects less drift with a larger m. Two things besides m move these numbers: an encoder that learns little moves
// little, and the cosine schedule brings the query encoder to rest at the end, while a key encoder with a large m still follows
// it. So each half of training stands by itself. Loss variance is half the mean square of the loss's change from one step to the
// next. The charts have logarithmic axes.

// %%
import { stalenessFigures, stalenessRows } from "moco-kit";

showTable(stalenessRows(studies.staleness), {
  caption: "Drift by age in steps, one seed",
});
for (const figure of stalenessFigures(studies.staleness).slice(0, -1)) showChart(figure);

// %% [markdown]
// Does the drift matter to the pretext task? The oldest part of the queue is taken out of the negatives, for measuring only:
// the training does not change. Fewer negatives make the task easier by themselves, so as many keys taken out at random stand
// beside it (the expectation over all choices). If stale keys were easier to tell from the positive, taking them out would
// help less than taking out any. The standard error is that of the spread over the readings of the second half.

// %%
import { maskedRows } from "moco-kit";

showTable(maskedRows(studies.staleness), {
  caption: "Pretext accuracy with a part of the queue masked",
});
showChart(stalenessFigures(studies.staleness).slice(-1)[0]);
showNotes([studies.staleness.finding]);

// %% [markdown]
// ## m against the length of training
//
// *A common doubt: the best m has to be searched for, at a cost.* (D4)
//
// The key encoder averages over about 1 / (1 − m) steps. Where that is more than a third of the training, the key encoder has
// hardly left its initial weights when training ends: such a cell is marked "too short to judge", whatever its number. Its
// number may be high, because the keys of an encoder that hardly moves are consistent; but it then says little about a moving
// average. Each length has a cosine schedule of its own. The measure is kNN on validation, because choosing m is a choice.
// The last table has the cells as numbers, in a danfojs DataFrame: sort them, filter them, compute with them.

// %%
import { DataFrame } from "danfojs-node";
import { momentumLengthMap, momentumLengthNotes, momentumLengthNumbers } from "moco-kit";
import { momentumLengthRows, showHeatMap } from "moco-kit";

showTable(momentumLengthRows(studies.momentumLength), {
  caption: `kNN on validation by m and length, K = ${size.momentumAblationQueueSize}`,
});
showHeatMap(momentumLengthMap(studies.momentumLength));

const cells = new DataFrame(momentumLengthNumbers(studies.momentumLength));
showTable(cells.sortValues("knn", { ascending: false }).head(5), {
  caption: "The five best cells, of those that can be judged and those that cannot",
});
showNotes([studies.momentumLength.finding, ...momentumLengthNotes(studies.momentumLength)]);

// %% [markdown]
// ## False negatives
//
// Some of the negatives are false: a key of the query's own image from an epoch before, of its twin (the other artist's drawing of
// the same emoji), of its class. The order of the images is a function of the seed, so the shares are counted exactly, without
// training. On ImageNet the paper's K stays far below the number of images; the last K here does not, and says so.

// %%
import { falseNegativeFigure, falseNegativeRows } from "moco-kit";

showTable(falseNegativeRows(studies.negatives), {
  caption: `What the queue holds besides true negatives, ${sizes.falseNegatives.epochs} epochs`,
});
showChart(falseNegativeFigure(studies.negatives));
showNotes([studies.negatives.finding]);

// %% [markdown]
// ## The bound on mutual information
//
// *A common doubt: how InfoNCE relates to mutual information is left open.* (D5)
//
// The mutual information of two views is at least log(K + 1) minus the loss (van den Oord et al., 2018). The bound can never
// say more than its ceiling log(K + 1), however much the views share; a loss above chance bounds nothing. It holds for
// independent negatives of the present encoder, which a queue's keys are not, so the curve is an estimate. It begins when the
// queue is full of real keys. The trainings are those of notebook 03, with all their seeds; intervals are Student's, of 95 %.

// %%
import { informationBoundFigure, informationBoundRows } from "moco-kit";

showTable(informationBoundRows(studies.bound), {
  caption: "InfoNCE's bound and its ceiling",
});
showChart(informationBoundFigure(studies.bound));
showNotes([studies.bound.finding]);

// %% [markdown]
// ## What to try next
//
// - Set `anew = true` and run all cells; another `seed` then says how much of a finding belongs to this one.
// - Ask for other ages of keys, with `anew = true`: `const sizes = { ...studySizes(size), staleness: { ...studySizes(size).staleness, ages: [0, 5, 10] } };`
//   in the cell "What is trained".
// - Train the open loop for longer: put 140 in place of 60, and compare its last pretext accuracy with the table below it.
// - Notebook 06 asks what these encoders are worth for detection.
