import { percent, percentValue } from "../display/percent";
import { join, resolve } from "node:path";
import { stopRequested } from "../display/kernel";
import { DivergedError } from "../errors";
import type { LinearHistory } from "../evaluate/linear-checkpoint";
import { assertClassifiable, differencesFromPaper, type LinearRecipe } from "../evaluate/linear-recipe";
import type { LinearProgress } from "../evaluate/train-linear";
import {
  forgetLinearRun,
  linearDirectory,
  linearRunFile,
  runLinear,
  topOneOf,
  type LinearRun,
} from "../runs/run-linear";
import type { LinearFlags } from "./evaluate";
import { evaluationData, openEncoder } from "./open-encoder";
import { describeLinearProgress } from "./progress-bar";
import { linearRecipeFrom } from "./linear-recipe-from";
import type { Setting } from "./recipe-flags";
import { runWithProgress } from "./run-with-progress";

/** What `moco linear --protocol paper` does. A module of its own, since it loads TensorFlow. */
export async function linearAction(given: string, flags: LinearFlags, settings: readonly Setting[]): Promise<void> {
  // Listens from here on: a Ctrl-C that comes before the first step stops after it.
  stopRequested();
  const { seed = 1, checkpointSeconds, json, part } = flags;
  const opened = openEncoder(given);
  const { encoder, title } = opened;
  try {
    // The paper trains the classifier on all of the training part; one is held out where that is what is classified.
    const { data, dataset } = await evaluationData(opened, { ...flags, holdOut: part === "validation" }, given);
    const { train } = data;
    const facts = { images: train.labels.length, classes: train.classes.length };
    const recipe = linearRecipeFrom({ dataset, imageSize: train.size, part }, facts, settings);
    assertClassifiable(recipe, data);
    const directory = resolve(flags.output ?? linearDirectory(recipe, encoder, data, seed));
    const options = {
      title,
      seed,
      directory,
      stopRequested,
      ...(checkpointSeconds !== undefined && { checkpointSeconds }),
    };
    const shown = { directory, json, describe: describeLinearProgress };
    const run = await runWithProgress<LinearProgress, LinearRun>(shown, ({ say, show }) => {
      if (flags.fresh) forgetLinearRun(directory);
      say(describeTraining(recipe, { title, seed, images: facts.images }));
      say(`in ${directory}`);
      const onProgress = (progress: LinearProgress): void => {
        show(progress);
        const { epoch, history } = progress;
        // An epoch ends with its last step.
        if (history.epochs.length > epoch) say(describeEpoch(recipe, history, data[part].groups));
      };
      return runLinear(recipe, encoder, data, { ...options, onProgress }).catch((error: unknown) => {
        throw error instanceof DivergedError ? withAdvice(error, recipe) : error;
      });
    });
    const file = join(directory, linearRunFile);
    if (json) console.log(JSON.stringify({ ...opened.facts, file, ...run }, null, 2));
    else console.log(`${describeRun(run)}\n${file}`);
  } finally {
    opened.dispose();
  }
}

function describeTraining(
  { name, dataset, batchSize, learningRate, epochs, schedule }: LinearRecipe,
  { title, seed, images }: { readonly title: string; readonly seed: number; readonly images: number },
): string {
  const beyond = schedule.kind === "step" ? schedule.milestones.filter((milestone) => milestone >= epochs) : [];
  return [
    `${name}: linear classifier on ${title}; batch ${batchSize}, rate ${learningRate}, ` +
      `${epochs} ${epochs === 1 ? "epoch" : "epochs"} of ${images} images of ${dataset}, seed ${seed}`,
    ...(beyond.length === 0
      ? []
      : [
          `The rate does not fall at epochs ${beyond.join(", ")}: there are ${epochs}. Others are set by ` +
            `--set 'schedule={"kind":"step","milestones":[...],"factor":0.1}'`,
        ]),
  ].join("\n");
}

function describeEpoch({ epochs, part, dataset }: LinearRecipe, history: LinearHistory, groups: Int32Array): string {
  const { epoch, topFive } = history.epochs.at(-1)!;
  const accuracy = describeAccuracy({ topOne: topOneOf(history, groups), topFive });
  return `After epoch ${epoch} of ${epochs} on ${part} of ${dataset}: ${accuracy}`;
}

function describeAccuracy({ topOne, topFive }: Pick<LinearRun, "topOne" | "topFive">): string {
  const { mean, low, high, kind } = topOne;
  return (
    `top-1 ${percent(mean)}, 95 % interval of ${kind} ${percentValue(low)} to ${percent(high)}; ` +
    `top-5 ${percent(topFive)}`
  );
}

function describeRun({ manifest, ...accuracy }: LinearRun): string {
  const { recipe, data } = manifest;
  const differences = differencesFromPaper(recipe);
  const protocol = `the paper's protocol${differences.length === 0 ? "" : ` but for ${differences.join(", ")}`}`;
  return (
    `linear classifier, ${protocol}, after the last epoch on ${recipe.part} of ${recipe.dataset}: ` +
    `${describeAccuracy(accuracy)}; ${data.classifiedImages} images`
  );
}

/** The error of a training that has diverged, with what to do. */
function withAdvice(error: DivergedError, { learningRate }: LinearRecipe): DivergedError {
  const lower = Number((learningRate / 10).toPrecision(3));
  const advice = `Start anew at a lower rate, for example --set learningRate=${lower} --fresh; then it is not the paper's protocol`;
  return new DivergedError(`${error.message}. ${advice}`, { cause: error });
}
