import { join } from "node:path";
import type { ImageData } from "../../data/image-set";
import { extractFeaturesAt } from "../../evaluate/extract";
import type { Interval } from "../../statistics/intervals";
import { linearProbe } from "../../evaluate/linear-probe";
import type { Score } from "../../evaluate/score";
import type { Depth, Encoder } from "../../nn/encoder";
import type { Cell } from "../ablation/ablation";
import { intervalOf } from "../ablation/ablation-result";
import { loadCheckpoint } from "../../train/checkpoint";
import { checkpointFile } from "../../train/pretrain";
import { disposeTraining } from "../../train/state";
import { runDirectory } from "../../runs/run-cell";
import { runsFolder } from "../../runs/run-name";

/** From the first layer to the last, which is what Table 1 probes. */
export const depths: readonly Depth[] = ["stem", 1, 2, 3, 4];

/** How well a linear probe does on the pooled features of one layer. */
export interface LayerProbe {
  readonly depth: Depth;
  /** Length of the feature, which grows with the depth. */
  readonly dimension: number;
  readonly accuracy: Interval;
}

/** The layers of one row's encoder. */
export interface LayerProbes {
  readonly label: string;
  readonly layers: readonly LayerProbe[];
}

/**
 * Probes each layer of the encoders that a cell has trained, mean over seeds 1 to `seeds`.
 *
 * @throws InputError if a seed's run has no checkpoint: run the cell first
 */
export function linearByLayer({ label, recipe }: Cell, seeds: number, data: ImageData, root = runsFolder): LayerProbes {
  const probes = Array.from({ length: seeds }, (_, index) => {
    const seed = index + 1;
    const { state } = loadCheckpoint(join(runDirectory(recipe, data, seed, root), checkpointFile));
    const layers = probeLayers(state.method.encoder, data, seed);
    disposeTraining(state);
    return layers;
  });
  return {
    label,
    layers: probes[0]!.map(({ depth, dimension, score }, at) => ({
      depth,
      dimension,
      accuracy: intervalOf({ correct: probes.map((layers) => layers[at]!.score.correct), groups: score.groups }),
    })),
  };
}

/**
 * The paper's linear probe on the pooled features of each layer of a frozen encoder; the rate of each is chosen on
 * validation, and test is read once a layer.
 *
 * @param seed - of the probes
 */
export function probeLayers(
  encoder: Encoder,
  data: ImageData,
  seed: number,
): readonly { readonly depth: Depth; readonly dimension: number; readonly score: Score }[] {
  const { train, validation, test } = data;
  return depths.map((depth) => {
    const [fitted, chosen, read] = [train, validation, test].map((set) => extractFeaturesAt(depth, encoder, data, set));
    const score = linearProbe(fitted!, chosen!, read!, { classCount: train.classes.length, seed });
    return { depth, dimension: fitted!.dimension, score };
  });
}
