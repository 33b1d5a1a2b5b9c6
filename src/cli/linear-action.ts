import { percent } from "../display/percent";
import { join, resolve } from "node:path";
import { stopRequested } from "../display/kernel";
import { paperLinearRecipe, parseLinearRecipe, type LinearRecipe } from "../evaluate/linear-recipe";
import type { LinearProgress } from "../evaluate/train-linear";
import { forgetLinearRun, linearDirectory, linearRunFile, runLinear, type LinearRun } from "../runs/run-linear";
import type { LinearFlags } from "./evaluate";
import { evaluationData, openEncoder } from "./open-encoder";
import { describeLinearProgress } from "./progress-bar";
import { withSettings, type Setting } from "./recipe-flags";
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
    const recipe = recipeOf({ dataset, imageSize: data.train.size, part }, settings);
    const directory = resolve(flags.output ?? linearDirectory(recipe, encoder, data, seed));
    await runWithProgress<LinearProgress, void>(
      { directory, json, describe: describeLinearProgress },
      async ({ say, show }) => {
        if (flags.fresh) forgetLinearRun(directory);
        say(
          `${recipe.name}: linear classifier on ${title}; batch ${recipe.batchSize}, rate ${recipe.learningRate}, ` +
            `${recipe.epochs} epochs of ${data.train.labels.length} images of ${dataset}, seed ${seed}\nin ${directory}`,
        );
        const run = await runLinear(recipe, encoder, data, {
          ...{ title, seed, directory, stopRequested, onProgress: show },
          ...(checkpointSeconds !== undefined && { checkpointSeconds }),
        });
        const file = join(directory, linearRunFile);
        if (json) console.log(JSON.stringify({ ...opened.facts, file, ...run }, null, 2));
        else console.log(`${describeRun(run)}\n${file}`);
      },
    );
  } finally {
    opened.dispose();
  }
}

/** The paper's recipe on another data set, with settings on top. */
function recipeOf(
  of: Pick<LinearRecipe, "dataset" | "imageSize" | "part">,
  settings: readonly Setting[],
): LinearRecipe {
  const onData =
    of.dataset === paperLinearRecipe.dataset ? paperLinearRecipe : { ...paperLinearRecipe, name: "linear" };
  const set = settings.map((setting) => setting.join(" = ")).join(", ");
  const source = set === "" ? onData.source : `${onData.source}; set on the command line: ${set}`;
  return parseLinearRecipe(withSettings({ ...onData, ...of, source }, settings));
}

function describeRun({ manifest, topOne, topFive, epochs }: LinearRun): string {
  const { recipe, data } = manifest;
  return (
    `linear classifier, the paper's protocol (learning rate ${recipe.learningRate}, ${epochs.length} epochs), after the last ` +
    `epoch on ${recipe.part} of ${recipe.dataset}: top-1 ${percent(topOne.mean)}, 95 % interval of ${topOne.kind} ` +
    `${percent(topOne.low)} to ${percent(topOne.high)}; top-5 ${percent(topFive)}; ${data.classifiedImages} images`
  );
}
