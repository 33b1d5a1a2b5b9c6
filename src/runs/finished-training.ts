import { join } from "node:path";
import type { ImageData } from "../data/image-set";
import { writeCheckedJson } from "../files/checked-json";
import { readOrSetAside } from "../files/generations";
import { loadCheckpoint } from "../train/checkpoint";
import { makeManifest, manifestFile, readManifest, type Manifest } from "../train/manifest";
import { checkpointFile } from "../train/pretrain";
import { disposeTraining, type History } from "../train/state";

/** A training that has ended, as its folder has it. */
export interface FinishedTraining {
  readonly manifest: Manifest;
  readonly history: Pick<History, "curve" | "monitor">;
}

/**
 * Reads the finished checkpoint of a folder and writes the manifest beside it, unless it was written when the training ended.
 *
 * @param trainedNow - whether the training has just ended here; else a manifest that is there stands
 * @throws InputError if the checkpoint cannot be read, or the manifest not be written
 */
export function finishTraining(directory: string, data: ImageData, trainedNow: boolean): FinishedTraining {
  const path = join(directory, manifestFile);
  const { recipe, state } = loadCheckpoint(join(directory, checkpointFile));
  const { seed, history } = state;
  const written = trainedNow ? undefined : readOrSetAside(path, readManifest);
  const manifest = written ?? makeManifest({ recipe, seed, data, encoder: state.method.encoder }, state);
  disposeTraining(state);
  if (!written) writeCheckedJson(path, manifest, 2);
  return { manifest, history: { curve: history.curve, monitor: history.monitor } };
}
