import { percent } from "../display/percent";
import { join, resolve } from "node:path";
import { annotationChecksum, loadDetectionData, type DetectionData } from "../detection/data/detection-data";
import { detectionPreset, withArchitecture, withMasks } from "../recipes/detection-presets";
import { assertValidationPart, parseDetectionRecipe, type DetectionRecipe } from "../detection/detection-recipe";
import { architectureOf } from "../detection/model/detector";
import type { Initialization } from "../detection/train/detector-training";
import {
  detectorRunFile,
  forgetDetectorRun,
  predictionsFile,
  runDetector,
  trainOnData,
  type DetectorRun,
} from "../runs/run-detector";
import { totalLoss } from "../detection/model/faster-rcnn";
import { detectorCheckpointFile } from "../detection/train/detector-checkpoint";
import { boxesBeyond, trainableImages } from "../detection/structures/detection-set";
import type { DetectorProgress } from "../detection/train/train-detector";
import { InputError } from "../errors";
import { printable } from "../files/printable";
import { stopRequested } from "../display/kernel";
import { detectorDirectory } from "../runs/detector-directory";
import { detectorInitialization } from "../runs/detector-initialization";
import { detectionLimit } from "../experiments/transfer/transfer-rows";
import type { DetectFlags } from "./detect";
import { measuredLoad, tellDryRun } from "./dry-run";
import { clock } from "../display/clock";
import { lastStepOf, tellFirstSteps } from "./first-steps";
import type { Steps } from "./progress-bar";
import { withSettings, withSettingsSaid, type Setting } from "./recipe-flags";
import { runWithProgress, type RunOutput } from "./run-with-progress";

/** What `moco detect` does. A module of its own, since it loads TensorFlow. */
export async function detectAction(flags: DetectFlags, settings: readonly Setting[]): Promise<void> {
  // Listens from here on: a Ctrl-C that comes before the first step stops after it.
  stopRequested();
  if (flags.record && flags.steps === undefined) {
    throw new InputError(
      "Cannot record the run: --record belongs to --steps. Runs of tables are recorded by moco reproduce --all --record",
    );
  }
  const recipe = recipeOf(flags, settings);
  assertValidationPart(recipe, flags.validations);
  const stopAfter = lastStepOf(flags, recipe.schedule.iterations);
  const initialization = detectorInitialization(flags.init, recipe, flags.seed);
  const { data, bytes: dataBytes } = await measuredLoad(() => loadDetectionData(recipe.dataset, flags.root));
  const directory = resolve(flags.output ?? detectorDirectory(recipe, { initialization, data }, flags.seed));
  if (flags.dryRun) return dryRun(recipe, { data, dataBytes }, directory, flags.json);
  await runWithProgress<DetectorProgress | Steps, void>({ directory, json: flags.json, describe }, (output) =>
    detectIn(directory, recipe, { initialization, data }, { ...flags, stopAfter }, output),
  );
}

/** Says what a training would need: memory, disk and time. Exit code 1 if something is missing. */
async function dryRun(
  recipe: DetectionRecipe,
  { data: { train }, dataBytes }: { readonly data: DetectionData; readonly dataBytes: number },
  directory: string,
  json: boolean | undefined,
): Promise<void> {
  const set = { images: trainableImages(train).length, classes: train.categories.length };
  const all = train.images.length;
  await tellDryRun(
    { task: "detection", recipe, set },
    {
      data: `${train.name}: ${set.images === all ? all : `${set.images} of ${all}`} images of ${set.classes} ${set.classes === 1 ? "class" : "classes"} to train on`,
      dataBytes,
      missing: [],
      fits: true,
      directory,
      lessMemory: "Choose fewer images a step: --set batchSize=1",
      json,
    },
  );
}

async function detectIn(
  directory: string,
  recipe: DetectionRecipe,
  { initialization, data }: { readonly initialization: Initialization; readonly data: DetectionData },
  flags: DetectFlags & { readonly stopAfter: number | undefined },
  { say, show }: RunOutput<DetectorProgress | Steps>,
): Promise<void> {
  const { seed, checkpointSeconds, validations, stopAfter } = flags;
  const { train } = data;
  const totalSteps = recipe.schedule.iterations;
  if (flags.fresh) forgetDetectorRun(directory);
  say(
    `${recipe.name}: ${recipe.detector.masks ? "Mask" : "Faster"} R-CNN ${architectureOf(recipe.detector).title} from ` +
      `${initialization.name}, ${totalSteps} iterations of ${recipe.batchSize} images on ${train.name}, seed ${seed}\nin ${directory}`,
  );
  const trainable = trainableImages(train).length;
  if (trainable < train.images.length) {
    say(
      `${trainable} of the ${train.images.length} images are trained on: the others have no object, or crowds alone.`,
    );
  }
  const list = (what: string, lines: readonly string[]): void => {
    if (lines.length > 0) say(`${what} (${lines.length}):\n${printable(lines.join("\n"))}`);
  };
  list("Left out, since a detector cannot learn them", data.leftOut);
  list("Boxes that reach beyond their image, trained on as far as they lie in it", boxesBeyond(train));
  const options = { seed, initialization, directory, checkpointSeconds, validations, stopRequested };
  if (stopAfter !== undefined) {
    const losses: { readonly step: number; readonly loss: number }[] = [];
    for await (const progress of trainOnData(recipe, data, { ...options, stopAfter })) {
      show(progress);
      losses.push({ step: progress.step, loss: totalLoss(progress.losses) });
    }
    const set = { name: train.name, checksum: annotationChecksum(train), images: train.images.length };
    const checkpoint = join(directory, detectorCheckpointFile);
    return tellFirstSteps({ recipe, seed, data: set, totalSteps, losses }, checkpoint, flags);
  }
  const run = await runDetector(recipe, data, {
    ...options,
    onProgress: show,
    onImage: (step, images) => show({ step, totalSteps: images }),
  });
  const files = [join(directory, detectorRunFile), join(directory, predictionsFile)];
  if (flags.json) console.log(JSON.stringify({ files, ...run }, null, 2));
  else console.log([describeMetrics(run, data.test.name), ...files].join("\n"));
}

function recipeOf(flags: DetectFlags, settings: readonly Setting[]): DetectionRecipe {
  const named = detectionPreset(flags.preset, flags.dataset);
  const ofArchitecture = flags.arch === undefined ? named : withArchitecture(named, flags.arch);
  const preset = flags.masks ? withMasks(ofArchitecture) : ofArchitecture;
  const changed = withSettings(preset, settings) as DetectionRecipe;
  const recipe = parseDetectionRecipe(
    settings.length === 0 ? changed : { ...changed, source: withSettingsSaid(changed.source, settings) },
  );
  if (recipe.dataset.kind === (flags.dataset ?? recipe.dataset.kind)) return recipe;
  throw new InputError(
    `Cannot take the data set from two places: --dataset is ${flags.dataset}, the recipe's is ${recipe.dataset.kind}`,
  );
}

/** A step of the training, or an image of the test part after it. */
function describe(progress: DetectorProgress | Steps): string {
  if ("losses" in progress) return describeTraining(progress);
  return `image ${progress.step} of ${progress.totalSteps} of the test part`;
}

/** "step 12 of 490, loss 1.2345 (objectness 0.1, ...), 12 images/s, 1:02 left" */
export function describeTraining(progress: DetectorProgress): string {
  const { step, totalSteps, losses, imagesPerSecond, secondsLeft, history } = progress;
  const { mask } = losses;
  const ap50 = history.validations.at(-1)?.ap50;
  return [
    `step ${step} of ${totalSteps}`,
    `loss ${totalLoss(losses).toFixed(4)} (RPN ${losses.objectness.toFixed(3)} + ${losses.rpnBox.toFixed(3)}, ` +
      `box head ${losses.classification.toFixed(3)} + ${losses.box.toFixed(3)}` +
      `${mask === undefined ? "" : `, masks ${mask.toFixed(3)}`})`,
    `${imagesPerSecond.toFixed(1)} images/s`,
    `${clock(secondsLeft)} left`,
    ...(ap50 == null ? [] : [`AP50 ${percent(ap50)} (validation)`]),
  ].join(", ");
}

function describeMetrics({ metrics, manifest }: DetectorRun, test: string): string {
  const shown = (value: number | null) => (value === null ? "none" : percent(value));
  const { ap, ap50, ap75, classAgnostic, categories, metric, masks } = metrics;
  return [
    `On ${test}, by the rules of ${metric}${detectionLimit(manifest.recipe)}: AP ${shown(ap)}, AP50 ${shown(ap50)}, AP75 ${shown(ap75)}`,
    ...(masks ? [`of masks: AP ${shown(masks.ap)}, AP50 ${shown(masks.ap50)}, AP75 ${shown(masks.ap75)}`] : []),
    `whatever the category: AP ${shown(classAgnostic.ap)}, AP50 ${shown(classAgnostic.ap50)}`,
    `AP of each category: ${categories.map(({ name, ap }) => `${printable(name)} ${shown(ap)}`).join(", ")}`,
  ].join("\n");
}
