import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { InputError } from "../engine/errors";
import { replaceFile } from "../files/replace-file";
import { decodeSafetensors, encodeSafetensors } from "../nn/safetensors";
import {
  assertStateFits,
  fromStateDict,
  toStateDict,
  vectorFromStateDict,
  vectorToStateDict,
  withPrefix,
} from "../nn/state-dict";
import { decimal, integer, json, wholeNumber } from "../train/metadata-fields";
import { Sgd } from "../train/sgd";
import { detectionRecipeSchema, type DetectionRecipe } from "./detection-recipe";
import { detectorParameters, detectorRunningAverages } from "./detector";
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
 * Atomic: whatever happens while it writes, the file holds the old checkpoint or the new one.
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
  replaceFile(path, encodeSafetensors({ tensors, metadata }));
}

/**
 * Reads a detector and the training that it comes from. The caller disposes it.
 *
 * @throws InputError if the file is missing, damaged or no detector of the kit
 */
export function loadDetector(path: string): { readonly recipe: DetectionRecipe; readonly training: DetectorTraining } {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new InputError(`Cannot read the detector: there is no file ${path}`);
  }
  const { tensors, metadata } = decodeSafetensors(readFileSync(path), path);
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
