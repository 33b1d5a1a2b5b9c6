import type { DetectionRecipe } from "../../src/detection/detection-recipe";
import type { DetectorRun } from "../../src/runs/run-detector";
import { recipeHash } from "../../src/train/recipe-hash";

/** A finished run with made metrics. */
export function exampleDetectorRun(recipe: DetectionRecipe, seed: number): DetectorRun {
  const half = { ap: 0.25, ap50: 0.5, ap75: 0.2 };
  const facts = { name: "scenes", images: 4, checksum: "0123abcd" };
  return {
    manifest: {
      recipe,
      recipeHash: recipeHash(recipe),
      seed,
      initialization: { name: "random", checksum: null },
      data: { train: facts, test: facts },
      git: null,
      versions: { kit: "0.1.0", node: "20.0.0", tensorflow: "2.21.0", tfjs: "4.22.0" },
      machine: { platform: "linux x64", device: "CPU", cpu: "a processor", cores: 2 },
      finished: "2026-01-01T00:00:00.000Z",
      trainingSeconds: 120,
      steps: recipe.schedule.iterations,
    },
    predictionsChecksum: null,
    curve: [{ step: 1, objectness: 0.7, rpnBox: 0.1, classification: 2, box: 0.5 }],
    validations: [{ step: recipe.schedule.iterations, ap50: 0.5 }],
    metrics: {
      metric: recipe.metric,
      ...half,
      categories: [
        { name: "even", ap: 0.3 },
        { name: "odd", ap: null },
      ],
      classAgnostic: half,
    },
  };
}
