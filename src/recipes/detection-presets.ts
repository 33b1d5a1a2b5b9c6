import { InputError } from "../errors";
import type { DetectionDataset, DetectionRecipe } from "../detection/detection-recipe";
import { c4Defaults, dilatedC5Defaults, fpnDefaults, type DetectorConfig } from "../detection/detector-config";
import { imageNetNormalization, paperDetectionRecipes } from "./paper-detection-recipes";

const quick: DetectionRecipe = {
  name: "quick",
  source:
    "losses, sampling, optimizer and shape of the schedule: pascal_voc_R_50_C4_24k; backbone: preset quick of pre-training; " +
    "anchors: the lengths of objects in scenes; normalization: 200 training scenes; " +
    "regions, batch and length: what 15 minutes on two cores allow; " +
    "rate: the best of 0.02, 0.04 and 0.08 on the validation part, from random weights (REPRODUCE.md)",
  dataset: { kind: "scenes", size: 96, train: 2000, validation: 250, test: 500, seed: 0 },
  metric: "coco",
  detector: {
    arch: "c4",
    backbone: { architecture: "resnet18", width: 16, stem: "cifar" },
    anchorSizes: [12, 24, 48],
    proposals: {
      training: { beforeNms: 1000, afterNms: 200 },
      inference: { beforeNms: 500, afterNms: 100 },
    },
    anchorsPerImage: 256,
    roisPerImage: 64,
    roiResolution: 7,
  },
  images: {
    trainShortest: [96],
    testShortest: 96,
    longest: 96,
    flip: true,
    mean: [0.52, 0.51, 0.46],
    std: [0.27, 0.24, 0.25],
  },
  batchSize: 4,
  learningRate: 0.04,
  schedule: { iterations: 1200, warmup: 100, milestones: [900, 1100] },
  momentum: 0.9,
  weightDecay: 1e-4,
  preciseBnBatches: 50,
};

const quickDilatedC5 = withArchitecture(quick, "dc5");

/** Mask R-CNN with FPN, as in Table 5 (a). */
const quickFpn: DetectionRecipe = {
  ...quick,
  name: "quick-fpn",
  source:
    "preset quick with detectron2's FPN and mask head, and the ImageNet stem, so that the pyramid has the paper's strides of 4 to 64; " +
    "anchors: one size a level from quick's smallest on, and levels of regions in proportion to them; length: about what half an hour for three rows on two cores allows; " +
    "rate: the best of 0.02, 0.04 and 0.08 on the validation part, from random weights (REPRODUCE.md)",
  detector: withMasks(withFpn(quick)).detector,
  schedule: { iterations: 2000, warmup: 100, milestones: [1500, 1800] },
};

const smoke: DetectionRecipe = {
  ...quick,
  name: "smoke",
  source: "preset quick, cut down to run in seconds",
  dataset: { kind: "scenes", size: 48, train: 8, validation: 4, test: 4, seed: 0 },
  detector: {
    ...quick.detector,
    backbone: { ...quick.detector.backbone, width: 8 },
    anchorSizes: [8, 16],
    roisPerImage: 16,
  },
  images: { ...quick.images, trainShortest: [48], testShortest: 48, longest: 48 },
  batchSize: 2,
  schedule: { iterations: 6, warmup: 2, milestones: [4] },
  preciseBnBatches: 2,
};

const smokeFpn: DetectionRecipe = {
  ...quickFpn,
  name: "smoke-fpn",
  source: "preset quick-fpn, cut down to run in seconds",
  dataset: smoke.dataset,
  detector: withMasks(withFpn(smoke)).detector,
  images: smoke.images,
  batchSize: smoke.batchSize,
  schedule: smoke.schedule,
  preciseBnBatches: smoke.preciseBnBatches,
};

/** BCCD, blood cells in VOC's format, at a size that two cores train in minutes. */
const bccd: DetectionRecipe = {
  ...quick,
  name: "bccd",
  source:
    "preset quick on photographs: shorter side 256 and the ImageNet stem, so that features have the paper's stride of 16; anchors: " +
    "the lengths of cells and platelets at that size; normalization: ImageNet's; no milestones, since training ends where " +
    "validation stays; a rise of a point: what readings of 87 photographs scatter by",
  dataset: { kind: "voc", train: ["train"], validation: "val", test: "test" },
  metric: "voc-area",
  detector: {
    ...quick.detector,
    backbone: { ...quick.detector.backbone, stem: "imagenet" },
    anchorSizes: [16, 32, 64, 128],
  },
  images: { trainShortest: [256], testShortest: 256, longest: 400, flip: true, ...imageNetNormalization },
  schedule: { iterations: 2000, warmup: 100, milestones: [] },
  stopping: { evaluateEvery: 100, from: 1000, leastRise: 0.01, patience: 0.2 },
  preciseBnBatches: 10,
};

/** Nuclei in microscope images with masks, up to 375 in one, in COCO's format; on two cores. */
const nuclei: DetectionRecipe = {
  ...bccd,
  name: "nuclei",
  source:
    "preset bccd with detectron2's FPN and mask head; shorter side as there; longest: what keeps it at 256; anchors: one size a level " +
    "around the lengths of nuclei, half of them 10 to 18 px and 98 in 100 from 2 to 46; proposals: detectron2's for FPN; detections: " +
    "more than the 375 nuclei of the fullest image; regions: twice bccd's, of images with three times as many objects; " +
    "normalization: the training part; batch and iterations: what an hour on two cores allows; rate: quick's, by the batch; " +
    "a rise of half a point: half of bccd's, on three times as many objects; no end before 2,000 iterations: a run whose readings still " +
    "rose ended at 1,000 by one of them",
  dataset: { kind: "coco", train: "train", validation: { heldOut: 0.15 }, test: "val" },
  metric: "coco",
  detector: {
    ...withFpn(bccd).detector,
    anchorSizes: [8, 16, 32, 64, 128],
    proposals: fpnDefaults.proposals,
    roisPerImage: 128,
    masks: true,
    detectionsPerImage: 400,
  },
  images: {
    trainShortest: [256],
    testShortest: 256,
    longest: 640,
    flip: true,
    mean: [0.16, 0.14, 0.17],
    std: [0.25, 0.24, 0.28],
  },
  batchSize: 2,
  learningRate: 0.02,
  schedule: { iterations: 4000, warmup: 100, milestones: [] },
  stopping: { evaluateEvery: 200, from: 2000, leastRise: 0.005, patience: 0.2 },
  preciseBnBatches: 20,
};

const recipes: readonly DetectionRecipe[] = [
  smoke,
  smokeFpn,
  quick,
  quickDilatedC5,
  quickFpn,
  bccd,
  nuclei,
  ...paperDetectionRecipes,
];

export const detectionPresetNames: readonly string[] = recipes.map(({ name }) => name);

/** Parts that are read where a preset is applied to another kind of data set; --set changes them. */
const defaultDatasets: Readonly<Record<DetectionDataset["kind"], Pick<DetectionRecipe, "dataset" | "metric">>> = {
  voc: { dataset: { kind: "voc", train: ["train"], validation: "val", test: "test" }, metric: "voc-area" },
  coco: { dataset: { kind: "coco", train: "train2017", test: "val2017" }, metric: "coco" },
  scenes: { dataset: quick.dataset, metric: "coco" },
};

/**
 * The recipe of a preset.
 *
 * @param kind - data set; another than the preset's own makes the preset's detector fit for it
 * @throws InputError listing the names there are
 */
export function detectionPreset(name: string, kind?: DetectionDataset["kind"]): DetectionRecipe {
  const recipe = recipes.find((one) => one.name === name);
  if (recipe === undefined) {
    throw new InputError(
      `Cannot find the preset: choose one of ${detectionPresetNames.join(", ")}, current value is "${name}"`,
    );
  }
  if (kind === undefined || kind === recipe.dataset.kind) return recipe;
  const { masks, ...boxes } = recipe.detector;
  // VOC's annotations have no masks for most images.
  const detector = masks && kind !== "voc" ? recipe.detector : boxes;
  return { ...recipe, detector, ...defaultDatasets[kind], name: `${name}-${kind}` };
}

/**
 * A recipe with another detector: what does not belong to it stays as it is.
 *
 * @throws InputError if another architecture is wanted of a recipe that is not of C4
 */
export function withArchitecture(recipe: DetectionRecipe, arch: DetectorConfig["arch"]): DetectionRecipe {
  const { detector } = recipe;
  if (arch === detector.arch) return recipe;
  if (detector.arch !== "c4") {
    throw new InputError(
      `Cannot train ${arch} by ${recipe.name}: choose a preset of C4, as quick, current one is of ${detector.arch}`,
    );
  }
  if (arch === "fpn") return withFpn(recipe);
  return {
    ...recipe,
    name: `${recipe.name}-${arch}`,
    source: `${recipe.source}; detector: paper, appendix A.1`,
    detector: { ...detector, arch, roiResolution: dilatedC5Defaults.roiResolution },
  };
}

/** detectron2's FPN: the stem and so the strides are the paper's; anchors double from level to level, from C4's smallest on. */
function withFpn(recipe: DetectionRecipe): DetectionRecipe {
  const { detector } = recipe;
  const smallest = Math.min(...detector.anchorSizes);
  const standard = JSON.stringify(detector.proposals) === JSON.stringify(c4Defaults.proposals);
  return {
    ...recipe,
    // Another name than those of presets, which have masks and schedules of their own.
    name: `${recipe.name}-on-fpn`,
    source:
      `${recipe.source}; detector: paper, section 4.2, and detectron2's FPN; ` +
      "regions belong to P4 from 224 px on where its anchors have 128, else in proportion",
    detector: {
      ...detector,
      arch: "fpn",
      backbone: { ...detector.backbone, stem: "imagenet" },
      anchorSizes: [1, 2, 4, 8, 16].map((factor) => factor * smallest),
      proposals: standard ? fpnDefaults.proposals : detector.proposals,
      roiResolution: fpnDefaults.roiResolution,
    },
  };
}

/** A recipe that predicts masks too. */
export function withMasks(recipe: DetectionRecipe): DetectionRecipe {
  if (recipe.detector.masks) return recipe;
  return {
    ...recipe,
    name: `${recipe.name}-masks`,
    source: `${recipe.source}; masks: detectron2's mask head`,
    detector: { ...recipe.detector, masks: true },
  };
}
