import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { DetectionRecipe } from "../detection/detection-recipe";
import type { Initialization } from "../detection/train/detector-training";
import { InputError } from "../errors";
import { readIfWhole } from "../files/generations";
import { randomStream } from "../engine/random";
import { createEncoder, disposeEncoder } from "../nn/encoder";
import { encoderChecksum } from "../weights/encoder-checksum";
import { loadEncoder } from "../weights/encoder-weights";
import { refuseUnpackedArchive } from "../weights/weights-file";
import { defaultMethod, methodRecipe, withStem } from "../recipes/method-recipes";
import { presetWithBackbone } from "../recipes/presets";
import { checkpointFile, checkpointIn } from "../train/pretrain";
import { manifestFile } from "../train/manifest";
import { runRecordFile } from "./run-cell";
import { findRunName, namesIn, runsFolder } from "./run-name";
import { readRunRecord } from "./run-record";

/**
 * Where a detector's backbone comes from.
 *
 * @param init - "random"; "supervised", the kit's own supervised training with the same seed; or a file of weights, or the
 * folder of a run
 * @param root - folder of the runs
 * @throws InputError if there is no such file, or the supervised training is not there: says the command that makes it
 */
export function detectorInitialization(
  init: string,
  recipe: DetectionRecipe,
  seed: number,
  root = runsFolder,
): Initialization {
  const { backbone } = recipe.detector;
  if (init === "random") {
    const config = { ...backbone, head: "linear", dimension: 1 } as const;
    return { name: init, checksum: null, createEncoder: () => createEncoder(config, randomStream(seed, "backbone")) };
  }
  if (init === "supervised") return ofFile(init, supervisedCheckpoint(recipe, seed, root));
  const path = checkpointIn(init);
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status || status.isDirectory()) {
    if (status) refuseUnpackedArchive(init);
    throw new InputError(
      `Cannot initialize the detector: give --init random, supervised, or a file of weights, current value is "${init}"` +
        (status ? `, a folder without ${checkpointFile}` : ", which is no file"),
    );
  }
  return ofFile(basename(init).replace(/[^\w.-]/g, "_"), path);
}

/** The initialization by the encoder of a file. */
export function ofFile(name: string, path: string): Initialization {
  const encoder = loadEncoder(path);
  const checksum = encoderChecksum(encoder);
  disposeEncoder(encoder);
  return { name, checksum, createEncoder: () => loadEncoder(path) };
}

function supervisedCheckpoint(recipe: DetectionRecipe, seed: number, root: string): string {
  const { backbone } = recipe.detector;
  const preset = presetWithBackbone(backbone);
  if (preset === undefined) {
    throw new InputError(
      `Cannot initialize ${recipe.name} by the kit's supervised training: no preset of the kit has this backbone. ` +
        "Give a file of weights, for example torchvision's, as --init FILE",
    );
  }
  const own = methodRecipe(preset, defaultMethod(preset, "supervised"));
  const trained = withStem(own, backbone);
  const name = findRunName(namesIn(root), trained, seed);
  if (name !== undefined) {
    const directory = join(root, name);
    const path = join(directory, checkpointFile);
    const record = readIfWhole(join(directory, runRecordFile), readRunRecord);
    const finished =
      existsSync(join(directory, manifestFile)) || (record !== undefined && record.diverged === undefined);
    if (existsSync(path) && finished) return path;
  }
  throw new InputError(
    `Cannot initialize the detector: there is no finished supervised training ${trained.name} with seed ${seed} in ${root}. ` +
      `Make it by: moco pretrain --method supervised --preset ${preset.name} --seed ${seed}` +
      (trained === own
        ? ""
        : ` --set encoder.stem=${backbone.stem} --set imageSize=${trained.imageSize} --set name=${trained.name}`),
  );
}
