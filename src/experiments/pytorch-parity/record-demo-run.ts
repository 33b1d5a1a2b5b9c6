import { basename, join } from "node:path";
import { writeCheckedJson } from "../../files/checked-json";
import type { EngineRun, EpochMeasurement } from "./two-engines";
import type { Manifest } from "../../train/manifest";
import type { Recipe } from "../../train/recipe";
import { recipeHash } from "../../train/recipe-hash";
import type { History } from "../../train/state";
import { twoEnginesFolder } from "./read-two-engines";

/** What is recorded of the kit's training of the CIFAR-10 demo. */
export interface RecordedDemoRun extends EngineRun {
  readonly manifest: Manifest;
}

/**
 * The readings of a finished training of the demo, epoch by epoch: the kNN monitor's, and the mean loss of the steps since
 * the reading before, which is exact because a reading closes a point of the curve.
 */
export function demoRun(manifest: Manifest, history: Pick<History, "curve" | "monitor">): RecordedDemoRun {
  const { recipe, steps, seed, data, versions } = manifest;
  const curve = history.monitor.map(({ step, knn }, index): EpochMeasurement => {
    const since = history.monitor[index - 1]?.step ?? 0;
    return { epoch: (step * recipe.epochs) / steps, loss: meanLoss(history, since, step), knn };
  });
  const shown = withoutFolder(recipe);
  return {
    engine: `moco-kit ${versions.kit}, TensorFlow ${versions.tensorflow}`,
    seed,
    recipe: shown,
    data: data.checksum,
    curve,
    manifest: { ...manifest, recipe: shown, recipeHash: recipeHash(shown) },
  };
}

/**
 * Writes a run where `readTwoEngines` finds it.
 *
 * @returns the file
 */
export function recordDemoRun(run: RecordedDemoRun, folder = twoEnginesFolder): string {
  const path = join(folder, `kit-seed${run.seed}.json`);
  writeCheckedJson(path, run, 1);
  return path;
}

function meanLoss({ curve }: Pick<History, "curve">, since: number, until: number): number {
  const points = curve.filter(({ step }) => step > since && step <= until);
  const sum = points.reduce(
    (total, { step, loss }, index) => total + loss * (step - (points[index - 1]?.step ?? since)),
    0,
  );
  return sum / (until - since);
}

/** The recipe with the data's folder by its last name: where it lies on one machine says nothing to another. */
function withoutFolder(recipe: Recipe): Recipe {
  const { dataset, source } = recipe;
  if (!dataset.startsWith("folder:")) return recipe;
  const named = `folder:${basename(dataset.slice("folder:".length))}`;
  return { ...recipe, dataset: named, source: source.split(dataset).join(named) };
}
