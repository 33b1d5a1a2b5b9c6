import { existsSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ImageData } from "../data/image-set";
import { loadData, parseDataName } from "../data/load";
import { DivergedError, InputError } from "../errors";
import { whileLocked } from "../files/folder-lock";
import { forgetGenerations } from "../files/generations";
import { stopRequested } from "../display/kernel";
import { monitorDemoKnn, monitorKnn } from "../runs/evaluate-encoder";
import { demoRun, recordDemoRun } from "../experiments/pytorch-parity/record-demo-run";
import { firstStepsOf } from "../runs/first-steps";
import { finishTraining, type FinishedTraining } from "../runs/finished-training";
import { runDirectory, runRecordFile } from "../runs/run-cell";
import { presetNamed } from "../recipes/presets";
import { loadCheckpoint } from "../train/checkpoint";
import { manifestFile } from "../train/manifest";
import { checkpointFile, pretrain, type PretrainOptions, type TrainingProgress } from "../train/pretrain";
import { parseRecipe, type Recipe } from "../train/recipe";
import { disposeTraining } from "../train/state";
import { assertEnoughImages, hasClasses } from "./enough-images";
import type { PretrainFlags } from "./pretrain";
import { describeProgress, progressBar } from "./progress-bar";
import { dryRun, explain } from "./pretrain-plan";
import { demoPreset, paperPresets, recipeFrom, type Setting } from "./recipe-flags";
import { prepareFolder } from "./run-folder";
import { tellFirstSteps } from "./tell-first-steps";
import { tellWarnings } from "./tell-warnings";

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
  const given = parseRecipe(recipeFrom({ preset: flags.preset, file: flags.recipe, method: flags.method }, settings));
  const from = flags.from === undefined ? undefined : checkpointOf(flags.from);
  const recipe = from === undefined ? given : goneOnWith(given, from);
  if (flags.explain) return explain(recipe, flags.json);
  // The paper trains on all of ImageNet's training images.
  const holdOut = !paperPresets.includes(flags.preset);
  const load = async () => {
    const name = parseDataName(recipe.dataset);
    const loaded = await loadData(name, { root: flags.dataRoot, size: recipe.imageSize, holdOut });
    tellWarnings(loaded);
    return loaded;
  };
  if (flags.dryRun) return dryRun(recipe, load, flags);
  const data = await load();
  const monitor = monitorOf(flags, recipe, data);
  const directory = resolve(flags.output ?? runDirectory(recipe, data, flags.seed));
  prepareFolder(directory);
  await whileLocked(directory, () => trainIn(directory, recipe, data, { ...flags, from, monitor }));
}

async function trainIn(
  directory: string,
  recipe: Recipe,
  data: ImageData,
  {
    monitor,
    ...flags
  }: Omit<PretrainFlags, "from"> & { readonly from: string | undefined; readonly monitor: PretrainOptions["monitor"] },
): Promise<void> {
  if (flags.fresh) {
    // Only what a run consists of: the folder may hold other things.
    forgetGenerations(join(directory, checkpointFile));
    for (const file of [manifestFile, runRecordFile]) rmSync(join(directory, file), { force: true });
  }

  const progressStream = flags.json ? process.stderr : process.stdout;
  progressStream.write(`${describeTraining(recipe, flags.seed, directory)}\n`);
  if (monitor === undefined && !hasClasses(data)) {
    progressStream.write(`No kNN is read: the images of ${recipe.dataset} have no classes.\n`);
  }
  const bar = progressBar(progressStream, describeProgress);
  let last: TrainingProgress | undefined;
  const losses: { readonly step: number; readonly loss: number }[] = [];
  try {
    const training = pretrain(recipe, data, {
      seed: flags.seed,
      directory,
      checkpointSeconds: flags.checkpointSeconds,
      ...(flags.from !== undefined && { from: flags.from }),
      ...(monitor && { monitor }),
      stopRequested,
    });
    for await (const progress of training) {
      if (last === undefined && progress.step > 1) {
        progressStream.write(`Going on after step ${progress.step - 1} of ${progress.totalSteps}.\n`);
      }
      last = progress;
      bar.show(progress);
      if (flags.steps !== undefined) losses.push({ step: progress.step, loss: progress.loss });
      if (progress.step === flags.steps) break;
    }
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    throw new DivergedError(`${error.message}. ${adviceAfter(recipe, directory)}`, { cause: error });
  } finally {
    bar.stop();
  }

  if (last !== undefined && last.step < last.totalSteps) {
    const { totalSteps } = last;
    const { name, checksum, train } = data;
    const set = { name, checksum, images: train.labels.length };
    const steps = firstStepsOf({ recipe, seed: flags.seed, data: set, totalSteps, losses });
    return tellFirstSteps(steps, join(directory, checkpointFile), flags);
  }
  const outcome: Outcome = {
    checkpoint: join(directory, checkpointFile),
    manifestFile: join(directory, manifestFile),
    ...finishTraining(directory, data, last !== undefined),
  };
  if (flags.record) progressStream.write(`Recorded ${recordDemoRun(demoRun(outcome.manifest, outcome.history))}\n`);
  if (flags.json) console.log(JSON.stringify(outcome, null, 2));
  else
    console.log(
      `${last ? "Trained" : "Nothing to do: trained before"}.\n${outcome.checkpoint}\n${outcome.manifestFile}`,
    );
}

/** A checkpoint, given by its run's folder or its file. */
function checkpointOf(run: string): string {
  const ofRun = join(run, checkpointFile);
  return existsSync(ofRun) ? ofRun : run;
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

/** Reads kNN while it trains; undefined for images without classes. */
function monitorOf({ preset: name, knnK }: PretrainFlags, recipe: Recipe, data: ImageData): PretrainOptions["monitor"] {
  if (name === demoPreset) {
    if (knnK !== undefined) {
      throw new InputError(`Cannot set --knn-k: the readings of --preset ${demoPreset} are the demo's; leave it out`);
    }
    assertEnoughImages(recipe, data, 1);
    return hasClasses(data)
      ? { times: recipe.epochs, evaluate: (encoder) => monitorDemoKnn(encoder, data) }
      : undefined;
  }
  if (paperPresets.includes(name)) {
    assertEnoughImages(recipe, data, 1);
    // The official training reads none.
    return undefined;
  }
  const preset = presetNamed(name);
  const knn = { ...preset.knn, k: knnK ?? preset.knn.k };
  assertEnoughImages(recipe, data, knn.k);
  if (!hasClasses(data)) return undefined;
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
