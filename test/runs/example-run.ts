import type { ResNetConfig } from "../../src/nn/resnet-layout";
import type { Baselines } from "../../src/runs/baselines";
import type { Evaluation } from "../../src/evaluate/evaluate-features";
import type { Score } from "../../src/evaluate/score";
import type { RunRecord } from "../../src/runs/run-record";
import type { Recipe } from "../../src/train/recipe";
import { recipeHash } from "../../src/train/recipe-hash";

const images = 40;
const groups = Int32Array.from({ length: images }, (_, image) => image >> 1);

/** An evaluation of 40 images in 20 groups, of which the first `right` are right by every measure. */
export function exampleEvaluation(right: number): Evaluation {
  const score: Score = {
    accuracy: right / images,
    correct: Uint8Array.from({ length: images }, (_, image) => (image < right ? 1 : 0)),
    groups,
  };
  const fit = { l2: 0.1, validationAccuracy: 0.5, objective: 1, iterations: 9, converged: true };
  return {
    knn: { ...score, k: 20, temperature: 0.1 },
    linear: { ...score, rate: 1, atEdge: false, rates: [], validationAccuracy: 0.5, trainAccuracy: 0.5 },
    logistic: { ...score, ...fit, atEdge: false, strengths: [fit], trainAccuracy: 0.5 },
    retrieval: { ...score, queries: Int32Array.from({ length: images }, (_, at) => at), gallerySize: images },
  };
}

/** A run whose loss falls from 5 to 3. */
export function exampleRun(recipe: Recipe, seed: number, right: number): RunRecord {
  const curve = Array.from({ length: 100 }, (_, at) => ({
    step: at + 1,
    epoch: 0,
    loss: 5 - (2 * at) / 99,
    accuracy: at / 100,
  }));
  return {
    manifest: {
      recipe,
      recipeHash: recipeHash(recipe),
      seed,
      data: { name: recipe.dataset, checksum: "0123abcd", trainImages: 2298 },
      git: null,
      versions: { kit: "0.1.0", node: "20.0.0", tensorflow: "2.21.0", tfjs: "4.22.0" },
      machine: { platform: "linux x64", device: "CPU", cpu: "a processor", cores: 2 },
      finished: "2026-01-01T00:00:00.000Z",
      trainingSeconds: 12.3,
      steps: 100,
      encoder: recipeHash(recipe).padEnd(64, "0"),
    },
    curve,
    monitor: [{ step: 100, knn: 0.4 }],
    queueOverlap: { own: 0.01, twin: 0.02, sameClass: 0.2 },
    evaluation: exampleEvaluation(right),
    diverged: undefined,
  };
}

/** Baselines of a backbone: random networks right on so many images each, and pixels. */
export function exampleBaselines(backbone: ResNetConfig, networks: readonly number[], pixels?: number): Baselines {
  return {
    randomNetworks: [
      {
        backbone,
        names: networks.map((_, draw) => ({ name: `random-network-${draw + 1}`, hash: "0123456789ab" })),
        evaluations: networks.map(exampleEvaluation),
      },
    ],
    pixels: pixels === undefined ? undefined : exampleEvaluation(pixels),
  };
}
