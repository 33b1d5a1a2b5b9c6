import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { detectionPreset } from "../../../src/recipes/detection-presets";
import { parseDetectionRecipe, type DetectionRecipe } from "../../../src/detection/detection-recipe";
import { runDetector, type DetectorRun } from "../../../src/runs/run-detector";
import { composeScenes } from "../../../src/detection/data/scenes";
import { detectorInitialization } from "../../../src/runs/detector-initialization";

interface Changes extends Pick<DetectionRecipe, "learningRate" | "schedule"> {
  readonly preset: "quick" | "quick-fpn";
  readonly width: number;
  readonly anchorSizes: number[];
  readonly masks?: true;
}

/** The whole chain on 8 scenes, which are also the test part: a smaller relative of a quick preset. */
async function overfit({
  preset,
  width,
  anchorSizes,
  masks,
  ...training
}: Changes): Promise<Pick<DetectorRun, "metrics" | "curve">> {
  const size = 64;
  const { detector, images, ...quick } = detectionPreset(preset);
  const recipe = parseDetectionRecipe({
    ...quick,
    ...training,
    name: "overfit",
    detector: {
      ...detector,
      backbone: { ...detector.backbone, width },
      anchorSizes,
      roisPerImage: 32,
      ...(masks && { masks }),
    },
    images: { ...images, trainShortest: [size], testShortest: size, longest: size, flip: false },
    preciseBnBatches: 8,
  });
  const scenes = await composeScenes({ part: "train", size, count: 8 });
  const directory = mkdtempSync(join(tmpdir(), "moco-overfit-"));
  try {
    return await runDetector(
      recipe,
      { train: scenes, validation: undefined, test: scenes, leftOut: [] },
      { seed: 1, directory, initialization: detectorInitialization("random", recipe, 1) },
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

// About 30 seconds of one core.
it.runIf(process.env["MOCO_TEST_LONG"])(
  "a detector learns 8 scenes by heart from random weights: AP50 above 0.95",
  { timeout: 600_000 },
  async () => {
    const schedule = { iterations: 320, warmup: 32, milestones: [240] };
    const { metrics, curve } = await overfit({
      preset: "quick",
      width: 8,
      anchorSizes: [8, 16, 32],
      learningRate: 0.04,
      schedule,
    });
    expect(metrics.ap50).toBeGreaterThan(0.95);
    expect(curve.at(-1)!.objectness).toBeLessThan(0.1 * curve[0]!.objectness);
  },
);

// About three minutes of one core: masks of a class with few objects are learned last.
it.runIf(process.env["MOCO_TEST_LONG"])(
  "a Mask R-CNN learns 8 scenes by heart from random weights: AP50 above 0.95, of masks above 0.9",
  { timeout: 1_800_000 },
  async () => {
    const schedule = { iterations: 1000, warmup: 32, milestones: [750] };
    const { metrics } = await overfit({
      preset: "quick",
      width: 16,
      anchorSizes: [8, 16, 32],
      learningRate: 0.08,
      schedule,
      masks: true,
    });
    expect(metrics.ap50).toBeGreaterThan(0.95);
    expect(metrics.masks!.ap50).toBeGreaterThan(0.9);
  },
);

// About two minutes of one core.
it.runIf(process.env["MOCO_TEST_LONG"])(
  "a Mask R-CNN with FPN learns 8 scenes by heart from random weights: AP50 above 0.95, of masks above 0.9",
  { timeout: 1_800_000 },
  async () => {
    const schedule = { iterations: 1000, warmup: 32, milestones: [750] };
    const anchorSizes = [8, 16, 32, 64, 128];
    const { metrics } = await overfit({ preset: "quick-fpn", width: 16, anchorSizes, learningRate: 0.08, schedule });
    expect(metrics.ap50).toBeGreaterThan(0.95);
    expect(metrics.masks!.ap50).toBeGreaterThan(0.9);
  },
);
