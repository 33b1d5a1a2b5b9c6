import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { InputError } from "../../errors";
import { readGeneration, restoreNewest, writeGeneration } from "../../files/generations";
import {
  decodeSafetensors,
  encodeSafetensors,
  type DecodedSafetensors,
  type SafetensorsContent,
} from "../../weights/safetensors";
import {
  assertStateFits,
  fromStateDict,
  toStateDict,
  vectorFromStateDict,
  vectorToStateDict,
  withPrefix,
} from "../../weights/state-dict";
import { decimal, integer, json, wholeNumber } from "../../train/metadata-fields";
import { Sgd } from "../../train/sgd";
import { detectionRecipeSchema, type DetectionRecipe } from "../detection-recipe";
import { detectorParameters, detectorRunningAverages } from "../model/detector";
import { historySchema, initializationSchema, type DetectorTraining } from "./detector-training";

/** File name of the checkpoint in a run's folder. */
export const detectorCheckpointFile = "detector.safetensors";

const velocityPrefix = "velocity.";

const metadataSchema = z.object({
  format: z.literal("moco-kit detector 1"),
  recipe: json.pipe(detectionRecipeSchema),
  categories: json.pipe(z.array(z.string()).min(1)),
  initialization: json.pipe(initializationSchema),
  seed: integer,
  step: wholeNumber,
  averagedAt: wholeNumber,
  history: json.pipe(historySchema),
  seconds: decimal,
});

/**
 * Writes everything that the training of a detector needs to go on, in safetensors: the detector with torchvision's and
 * detectron2's names in PyTorch's layouts, the optimizer's velocity, seed, step and history.
 *
 * The checkpoint that was there stays beside it as the one before. Whatever happens while it writes, one of them is whole.
 *
 * @throws InputError if it cannot be written, as on a full disk
 */
export function saveDetector(path: string, recipe: DetectionRecipe, training: DetectorTraining): void {
  const { detector, optimizer } = training;
  const tensors = new Map([
    ...toStateDict(detector.parameters, ""),
    ...toStateDict(detector.running, ""),
    ...vectorToStateDict(detector.parameters.entries, optimizer.velocity, velocityPrefix),
  ]);
  const metadata: z.input<typeof metadataSchema> = {
    format: "moco-kit detector 1",
    recipe: JSON.stringify(recipe),
    categories: JSON.stringify(training.categories),
    initialization: JSON.stringify(training.initialization),
    seed: String(training.seed),
    step: String(training.step),
    averagedAt: String(training.averagedAt),
    history: JSON.stringify(training.history),
    seconds: training.seconds.toFixed(3),
  };
  writeGeneration(path, encodeSafetensors({ tensors, metadata }));
}

/** A detector read from disk, its training, and the recipe of it. */
export interface DetectorCheckpoint {
  readonly recipe: DetectionRecipe;
  readonly training: DetectorTraining;
}

/**
 * Reads a detector and the training that it comes from. The caller disposes it.
 *
 * @throws InputError if the file is missing, damaged or no detector of the kit
 */
export function loadDetector(path: string): DetectorCheckpoint {
  return readGeneration(path, (file) => detectorOf(readContent(file), file));
}

/**
 * Reads the detector to go on with, the one before it if the newest is damaged, which is said in one line of warning.
 *
 * @returns undefined if there is none that is whole
 * @throws InputError if it is no detector of the kit
 */
export function resumeDetector(path: string): DetectorCheckpoint | undefined {
  const content = restoreNewest(path, readContent);
  if (content === undefined) return undefined;
  const checkpoint = detectorOf(content, path);
  if (!content.hasChecksum) console.warn(`${path} has no checksum: whether it is damaged cannot be told.`);
  return checkpoint;
}

function readContent(path: string): DecodedSafetensors {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new InputError(`Cannot read the detector: there is no file ${path}`);
  }
  return decodeSafetensors(readFileSync(path), path);
}

function detectorOf({ tensors, metadata }: SafetensorsContent, path: string): DetectorCheckpoint {
  if (!metadata["format"]?.startsWith("moco-kit detector")) {
    throw new InputError(`Cannot use ${path} as a detector: it holds no detector that the kit has trained`);
  }
  const parsed = metadataSchema.safeParse(metadata);
  if (!parsed.success) {
    const fields = [...new Set(parsed.error.issues.map((issue) => issue.path.join(".")))].join(", ");
    throw new InputError(
      `Cannot use ${path} as a detector: it is damaged, or from another version of the kit. Not valid: ${fields}`,
    );
  }
  const { format: _, recipe, ...rest } = parsed.data;
  const config = { ...recipe.detector, classes: rest.categories.length };
  const parameters = detectorParameters(config);
  const running = detectorRunningAverages(config);
  assertStateFits(tensors, [...parameters, ...running, ...withPrefix(velocityPrefix, parameters)], path);
  const training: DetectorTraining = {
    ...rest,
    detector: {
      config,
      parameters: fromStateDict(tensors, parameters, "", path),
      running: fromStateDict(tensors, running, "", path),
    },
    optimizer: new Sgd(vectorFromStateDict(tensors, parameters, velocityPrefix, path)),
  };
  return { recipe, training };
}
