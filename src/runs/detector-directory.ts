import { join } from "node:path";
import { annotationChecksum, type DetectionData } from "../detection/data/detection-data";
import type { DetectionRecipe } from "../detection/detection-recipe";
import type { InitializationName } from "../detection/train/detector-training";
import { detectorRunName, runsFolder } from "./run-name";

/**
 * The folder of a detector's run: another recipe, encoder, training part or seed has another. The same for every command that
 * trains detectors.
 */
export function detectorDirectory(
  recipe: DetectionRecipe,
  {
    initialization,
    data,
  }: { readonly initialization: Pick<InitializationName, "checksum">; readonly data: Pick<DetectionData, "train"> },
  seed: number,
  root = runsFolder,
): string {
  const origin = { encoder: initialization.checksum, data: annotationChecksum(data.train) };
  return join(root, detectorRunName(recipe, origin, seed));
}
