import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { detectionPreset } from "../../src/detection/detection-presets";
import { parseDetectionRecipe } from "../../src/detection/detection-recipe";
import { runDetector } from "../../src/detection/run-detector";
import { composeScenes } from "../../src/detection/scenes";
import { detectorInitialisation } from "../../src/reproduce/detector-initialisation";

// The whole chain, about 30 seconds of one core: a smaller relative of the quick preset.
it("a detector learns 8 scenes by heart from random weights: AP50 above 0.95", { timeout: 600_000 }, async () => {
  const size = 64;
  const { detector, pictures, ...quick } = detectionPreset("quick");
  const recipe = parseDetectionRecipe({
    ...quick,
    name: "overfit",
    detector: {
      ...detector,
      backbone: { ...detector.backbone, width: 8 },
      anchorSizes: [8, 16, 32],
      roisPerImage: 32,
    },
    pictures: { ...pictures, trainShortest: [size], testShortest: size, longest: size, flip: false },
    learningRate: 0.04,
    schedule: { iterations: 320, warmup: 32, milestones: [240] },
    preciseBnBatches: 8,
  });
  const scenes = await composeScenes({ part: "train", size, count: 8 });
  const directory = mkdtempSync(join(tmpdir(), "moco-overfit-"));
  const { figures, curve } = await runDetector(
    recipe,
    { train: scenes, validation: undefined, test: scenes, leftOut: [] },
    { seed: 1, directory, initialisation: detectorInitialisation("random", recipe, 1) },
  );
  rmSync(directory, { recursive: true });
  expect(figures.ap50).toBeGreaterThan(0.95);
  expect(curve.at(-1)!.objectness).toBeLessThan(0.1 * curve[0]!.objectness);
});
