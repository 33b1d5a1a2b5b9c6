import { existsSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { batchesPerEpoch } from "../data/batches";
import type { ImageData } from "../data/image-set";
import { loadData, parseDataName } from "../data/load";
import { DivergedError, InputError } from "../errors";
import { forgetGenerations } from "../files/generations";
import { stopRequested } from "../display/kernel";
import { monitorDemoKnn, monitorKnn } from "../runs/evaluate-encoder";
import { demoRun, recordDemoRun } from "../experiments/pytorch-parity/record-demo-run";
import { finishTraining, type FinishedTraining } from "../runs/finished-training";
import { runDirectory, runRecordFile } from "../runs/run-cell";
import { presetNamed } from "../recipes/presets";
import { loadCheckpoint } from "../train/checkpoint";
import { manifestFile } from "../train/manifest";
import { checkpointFile, checkpointIn, pretrain, type PretrainOptions, type TrainingProgress } from "../train/pretrain";
import { parseRecipe, type Recipe } from "../train/recipe";
import { disposeTraining } from "../train/state";
import { assertEnoughImages, hasClasses } from "./enough-images";
import type { PretrainFlags } from "./pretrain";
import { lastStepOf, tellFirstSteps } from "./first-steps";
import { describeProgress } from "./progress-bar";
import { dryRun, explain } from "./pretrain-plan";
import { demoPreset, paperPresets, recipeFrom, type Setting } from "./recipe-flags";
import { runWithProgress, type RunOutput } from "./run-with-progress";

/** How a training ended, as `--json` prints it. */
interface Outcome extends FinishedTraining {
  readonly checkpoint: string;
  readonly manifestFile: string;
}

/** What `moco pretrain` does. A module of its own, since it loads TensorFlow. */
export async function pretrainAction(flags: PretrainFlags, settings: readonly Setting[]): Promise<void> {
  // Listens from here on: a Ctrl-C that comes before the first step stops after it.
  stopRequested();
  if (flags.record && flags.preset !== demoPreset && flags.steps === undefined) {
    throw new InputError(
      `Cannot record the run: --record belongs to --preset ${demoPreset} or to --steps, current preset is ${flags.preset}. ` +
        "Runs of tables are recorded by moco reproduce --record",
    );
  }
  const neighbors = neighborsOf(flags);
  const origin = { preset: flags.preset, file: flags.recipe, method: flags.method };
  const given = parseRecipe(recipeFrom(origin, settings));
  const from = flags.from === undefined ? undefined : checkpointIn(flags.from);
  const recipe = from === undefined ? given : goneOnWith(given, from);
  if (flags.explain) {
    const { source } = recipeFrom(origin, []) as Recipe;
    return explain(recipe, { fields: settings.map(([field]) => field), source }, flags.json);
  }
  // The paper trains on all of ImageNet's training images.
  const holdOut = !paperPresets.includes(flags.preset);
  const load = () => loadData(parseDataName(recipe.dataset), { root: flags.dataRoot, size: recipe.imageSize, holdOut });
  if (flags.dryRun) return dryRun(recipe, load, { ...flags, neighbors });
  const data = await load();
  assertEnoughImages(recipe, data, neighbors);
  const monitor = hasClasses(data) ? monitorOf(flags.preset, neighbors, data) : undefined;
  const totalSteps = recipe.epochs * batchesPerEpoch(data.train, recipe.batchSize);
  const stopAfter = lastStepOf(flags, totalSteps);
  const directory = resolve(flags.output ?? runDirectory(recipe, data, flags.seed));
  await runWithProgress<TrainingProgress, void>({ directory, json: flags.json, describe: describeProgress }, (output) =>
    trainIn(directory, recipe, data, { ...flags, from, monitor, totalSteps, stopAfter }, output),
  );
}

/** What a training goes by, besides recipe and data. */
interface TrainOptions extends Omit<PretrainFlags, "from"> {
  /** The checkpoint to begin with. */
  readonly from: string | undefined;
  readonly monitor: PretrainOptions["monitor"];
  readonly totalSteps: number;
  readonly stopAfter: number | undefined;
}

async function trainIn(
  directory: string,
  recipe: Recipe,
  data: ImageData,
  flags: TrainOptions,
  { say, show }: RunOutput<TrainingProgress>,
): Promise<void> {
  const { monitor, from, seed, checkpointSeconds, totalSteps, stopAfter } = flags;
  const checkpoint = join(directory, checkpointFile);
  if (flags.fresh) {
    // Only what a run consists of: the folder may hold other things.
    forgetGenerations(checkpoint);
    for (const file of [manifestFile, runRecordFile]) rmSync(join(directory, file), { force: true });
  }
  say(describeTraining(recipe, seed, directory));
  if (monitor === undefined && !hasClasses(data)) {
    say(`No kNN is read: the images of ${recipe.dataset} have no classes.`);
  }
  const losses: { readonly step: number; readonly loss: number }[] = [];
  try {
    const training = pretrain(recipe, data, {
      ...{ seed, directory, checkpointSeconds, stopRequested },
      ...(from !== undefined && { from }),
      ...(monitor && { monitor }),
      ...(stopAfter !== undefined && { stopAfter }),
    });
    for await (const progress of training) {
      show(progress);
      losses.push({ step: progress.step, loss: progress.loss });
    }
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    throw new DivergedError(`${error.message}. ${adviceAfter(recipe, directory)}`, { cause: error });
  }

  if (stopAfter !== undefined) {
    const { name, checksum, train } = data;
    const set = { name, checksum, images: train.labels.length };
    return tellFirstSteps({ recipe, seed, data: set, totalSteps, losses }, checkpoint, flags);
  }
  const trained = losses.length > 0;
  const outcome: Outcome = {
    checkpoint,
    manifestFile: join(directory, manifestFile),
    ...finishTraining(directory, data, trained),
  };
  if (flags.record) say(`Recorded ${recordDemoRun(demoRun(outcome.manifest, outcome.history))}`);
  if (flags.json) console.log(JSON.stringify(outcome, null, 2));
  else {
    console.log(
      `${trained ? "Trained" : "Nothing to do: trained before"}.\n${outcome.checkpoint}\n${outcome.manifestFile}`,
    );
  }
}

/** A recipe whose training begins with another's checkpoint: its numbers belong to both, so it gets a name of its own. */
function goneOnWith(recipe: Recipe, from: string): Recipe {
  const { recipe: before, state } = loadCheckpoint(from);
  disposeTraining(state);
  return {
    ...recipe,
    name: `${recipe.name}-from-step${state.step}`,
    source: `${recipe.source}; goes on from step ${state.step} at a learning rate of ${before.learningRate} (${from})`,
  };
}

/** What to do after a training has diverged. */
function adviceAfter({ learningRate }: Recipe, directory: string): string {
  const lower = `--learning-rate ${Number((learningRate / 10).toPrecision(3))}`;
  const path = join(directory, checkpointFile);
  if (!existsSync(path)) return `There is no checkpoint yet: start anew at a lower rate, for example ${lower}`;
  return (
    `The last checkpoint is kept, ${path}. To go on from it at a lower rate: the same command with ` +
    `--from ${JSON.stringify(directory)} ${lower}, and another folder where --output is given`
  );
}

/**
 * Neighbors of the kNN readings while it trains, at least one.
 *
 * @throws InputError if they are given for a preset that has no such readings
 */
function neighborsOf({ preset, knnK }: Pick<PretrainFlags, "preset" | "knnK">): number {
  if (preset !== demoPreset && !paperPresets.includes(preset)) return knnK ?? presetNamed(preset).knn.k;
  if (knnK === undefined) return 1;
  throw new InputError(`Cannot set --knn-k: --preset ${preset} has its own readings, or none; leave it out`);
}

/** Reads kNN on images with classes; undefined for the paper's presets, since the official training reads none. */
function monitorOf(presetName: string, neighbors: number, data: ImageData): PretrainOptions["monitor"] {
  if (paperPresets.includes(presetName)) return undefined;
  // After each epoch.
  if (presetName === demoPreset) return { times: Infinity, evaluate: (encoder) => monitorDemoKnn(encoder, data) };
  const preset = presetNamed(presetName);
  const knn = { ...preset.knn, k: neighbors };
  return { times: preset.monitorTimes, evaluate: (encoder) => monitorKnn(encoder, data, { ...preset, knn }) };
}

function describeTraining(recipe: Recipe, seed: number, directory: string): string {
  const { name, method, dataset, batchSize, epochs } = recipe;
  const { kind, ...settings } = method;
  const described = [kind, ...Object.entries(settings).map((setting) => setting.join(" = "))].join(", ");
  return (
    `${name}: ${described}; batch ${batchSize}, ${epochs} ${epochs === 1 ? "epoch" : "epochs"} on ${dataset}, seed ${seed}\n` +
    `in ${directory}`
  );
}
