import { createHash } from "node:crypto";
import { join } from "node:path";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { sync as writeFileAtomic } from "write-file-atomic";
import type { ImageData } from "../data/image-set";
import { evaluationFromJson, evaluationToJson } from "../evaluate/evaluation-json";
import type { Evaluation } from "../evaluate/evaluate-features";
import { randomNetwork } from "../evaluate/extract";
import { disposeEncoder } from "../nn/encoder";
import type { Ablation, Cell } from "../tables/ablation";
import type { Preset } from "../tables/presets";
import { ablationResult, type AblationResult, type Baselines, type RunRecord } from "../tables/result";
import type { TrainingProgress } from "../train/pretrain";
import { evaluateEncoder, evaluatePixels } from "./evaluate-encoder";
import { runCell, runsFolder } from "./run-cell";

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
  return ablationResult(ablation, runs, baselines(data, preset));
}

/** Random networks and pixels by the same metrics, evaluated once and kept beside the runs. */
export function baselines(data: ImageData, preset: Preset): Baselines {
  const { encoder } = preset.base;
  return {
    randomNetworks: Array.from({ length: preset.randomNetworks }, (_, draw) =>
      kept(`random-network-${draw + 1}`, { checksum: data.checksum, encoder, knn: preset.knn, draw }, () => {
        const network = randomNetwork(encoder, data, draw + 1);
        const evaluation = evaluateEncoder(network, data, preset, draw + 1);
        disposeEncoder(network);
        return evaluation;
      }),
    ),
    pixels: kept("pixels", { checksum: data.checksum, knn: preset.knn }, () => evaluatePixels(data, preset, 1)),
  };
}

function kept(name: string, definition: unknown, evaluate: () => Evaluation): Evaluation {
  const hash = createHash("sha256").update(JSON.stringify(definition)).digest("hex").slice(0, 12);
  const path = join(runsFolder, "baselines", `${name}-${hash}.json`);
  if (existsSync(path)) return evaluationFromJson(JSON.parse(readFileSync(path, "utf8")));
  const evaluation = evaluate();
  mkdirSync(join(runsFolder, "baselines"), { recursive: true });
  writeFileAtomic(path, `${JSON.stringify(evaluationToJson(evaluation))}\n`);
  return evaluation;
}
