import type { ImageData } from "../../data/image-set";
import { backbonesOf, type Ablation, type Cell } from "./ablation";
import type { Preset } from "../../recipes/presets";
import { ablationResult, type AblationResult } from "./ablation-result";
import { type RunRecord } from "../../runs/run-record";
import type { TrainingProgress } from "../../train/pretrain";
import { baselines } from "../../runs/baselines";
import { runCell } from "../../runs/run-cell";

export interface ReproduceOptions {
  /** Seeds 1 to `seeds` are trained for each cell. */
  readonly seeds: number;
  readonly onProgress?: (cell: Cell, seed: number, progress: TrainingProgress) => void;
  readonly stopRequested?: () => boolean;
}

/** Trains or looks up every cell of an ablation and its baselines, and puts them beside what the paper published. */
export async function reproduceAblation(
  ablation: Ablation,
  data: ImageData,
  preset: Preset,
  { seeds, onProgress, stopRequested }: ReproduceOptions,
): Promise<AblationResult> {
  const runs: RunRecord[][] = [];
  for (const cell of ablation.cells) {
    const ofCell: RunRecord[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      ofCell.push(
        await runCell(cell.recipe, seed, data, preset, {
          onProgress: (progress) => onProgress?.(cell, seed, progress),
          ...(stopRequested && { stopRequested }),
        }),
      );
    }
    runs.push(ofCell);
  }
  return ablationResult(ablation, runs, baselines(data, preset, backbonesOf(ablation.cells)));
}
