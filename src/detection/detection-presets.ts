import { InputError } from "../engine/errors";
import type { PresetName } from "../tables/presets";
import type { DetectionDataset, DetectionRecipe } from "./detection-recipe";
import { c4Defaults, dilatedC5Defaults, type DetectorConfig } from "./detector";

/** Channel means and deviations that the official MoCo overlays of the detection configurations set, pixels in 0 to 1. */
const imageNetNormalisation = {
  mean: [123.675 / 255, 116.28 / 255, 103.53 / 255],
  std: [58.395 / 255, 57.12 / 255, 57.375 / 255],
} satisfies Pick<DetectionRecipe["pictures"], "mean" | "std">;

const official = "facebookresearch/moco, detection/configs at 87e36d3, and the defaults of detectron2 that they keep";

const from480 = Array.from({ length: 11 }, (_, index) => 480 + 32 * index);

const paperBase = {
  detector: {
    arch: "c4",
    backbone: { architecture: "resnet50", width: 64, stem: "imagenet" },
    ...c4Defaults,
    anchorSizes: [...c4Defaults.anchorSizes],
  },
  batchSize: 16,
  learningRate: 0.02,
  momentum: 0.9,
  weightDecay: 1e-4,
  preciseBnBatches: 200,
} satisfies Partial<DetectionRecipe>;

/** Tables 2 and 3 of the paper: VOC 2007 and 2012 trainval, 24k iterations. */
const voc24k: DetectionRecipe = {
  ...paperBase,
  name: "pascal_voc_R_50_C4_24k",
  source: `${official}: pascal_voc_R_50_C4_24k`,
  dataset: { kind: "voc", train: ["VOC2007/trainval", "VOC2012/trainval"], test: "VOC2007/test" },
  metric: "voc-11-point",
  pictures: { trainShortest: from480, testShortest: 800, longest: 1333, flip: true, ...imageNetNormalisation },
  schedule: { iterations: 24000, warmup: 100, milestones: [18000, 22000] },
};

/** Table 2 (a) and the first column of Table 3: as C4's, which share all but the detector (paper, section 4.2.1). */
const voc24kDilatedC5: DetectionRecipe = {
  ...withArchitecture(voc24k, "dc5"),
  name: "pascal_voc_R_50_dilated_C5_24k",
  source: `${official}: pascal_voc_R_50_C4_24k; detector: paper, appendix A.1, and detectron2's Base-RCNN-DilatedC5`,
};

/** Table 4: VOC 2007 trainval alone, 9k iterations. */
const voc9k: DetectionRecipe = {
  ...voc24k,
  name: "pascal_voc_R_50_C4_9k",
  source:
    `${official}: pascal_voc_R_50_C4_24k; iterations and data: paper, Table 4; ` +
    "milestones: not published, those of 24k scaled by 9/24",
  dataset: { kind: "voc", train: ["VOC2007/trainval"], test: "VOC2007/test" },
  schedule: { iterations: 9000, warmup: 100, milestones: [6750, 8250] },
};

/** Table 5: the 2x schedule of COCO. */
const coco2x: DetectionRecipe = {
  ...paperBase,
  detector: { ...paperBase.detector, masks: true },
  name: "coco_R_50_C4_2x",
  source: `${official}: coco_R_50_C4_2x`,
  dataset: { kind: "coco", train: "train2017", test: "val2017" },
  metric: "coco",
  pictures: {
    trainShortest: from480.filter((length) => length >= 640),
    testShortest: 800,
    longest: 1333,
    flip: true,
    ...imageNetNormalisation,
  },
  schedule: { iterations: 180000, warmup: 1000, milestones: [120000, 160000] },
};

/** Table 5: the 1x schedule of COCO. */
const coco1x: DetectionRecipe = {
  ...coco2x,
  name: "coco_R_50_C4_1x",
  source: `${official}: coco_R_50_C4_2x; schedule: paper, Table 5, with detectron2's 1x milestones`,
  schedule: { iterations: 90000, warmup: 1000, milestones: [60000, 80000] },
};

const quick: DetectionRecipe = {
  name: "quick",
  source:
    "losses, sampling, optimiser and shape of the schedule: pascal_voc_R_50_C4_24k; backbone: preset quick of pre-training; " +
    "anchors: the lengths of objects in scenes; normalisation: 200 training scenes; " +
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
  pictures: {
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
  pictures: { ...quick.pictures, trainShortest: [48], testShortest: 48, longest: 48 },
  batchSize: 2,
  schedule: { iterations: 6, warmup: 2, milestones: [4] },
  preciseBnBatches: 2,
};

/** BCCD, blood cells in VOC's format, at a size that two cores train in minutes. */
const bccd: DetectionRecipe = {
  ...quick,
  name: "bccd",
  source:
    "preset quick on photographs: shorter side 256 and the ImageNet stem, so that features have the paper's stride of 16; anchors: " +
    "the lengths of cells and platelets at that size; normalisation: ImageNet's; no milestones, since training ends where " +
    "validation stays; a rise of a point: what readings of 87 photographs scatter by",
  dataset: { kind: "voc", train: ["train"], validation: "val", test: "test" },
  metric: "voc-area",
  detector: {
    ...quick.detector,
    backbone: { ...quick.detector.backbone, stem: "imagenet" },
    anchorSizes: [16, 32, 64, 128],
  },
  pictures: { trainShortest: [256], testShortest: 256, longest: 400, flip: true, ...imageNetNormalisation },
  schedule: { iterations: 2000, warmup: 100, milestones: [] },
  stopping: { readEvery: 100, from: 1000, leastRise: 0.01, patience: 0.2 },
  preciseBnBatches: 10,
};

const recipes: readonly DetectionRecipe[] = [
  smoke,
  quick,
  quickDilatedC5,
  bccd,
  voc24k,
  voc24kDilatedC5,
  voc9k,
  coco1x,
  coco2x,
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
  // VOC's annotations have no masks for most pictures.
  const detector = masks && kind !== "voc" ? recipe.detector : boxes;
  return { ...recipe, detector, ...defaultDatasets[kind], name: `${name}-${kind}` };
}

/**
 * A recipe with another detector: everything else stays as it is.
 *
 * @throws InputError if C4 is wanted of a recipe that has none
 */
export function withArchitecture(recipe: DetectionRecipe, arch: DetectorConfig["arch"]): DetectionRecipe {
  const { detector } = recipe;
  if (arch === detector.arch) return recipe;
  if (arch === "c4") {
    throw new InputError(
      `Cannot train C4 by ${recipe.name}: choose a preset of C4, current one is of ${detector.arch}`,
    );
  }
  return {
    ...recipe,
    name: `${recipe.name}-${arch}`,
    source: `${recipe.source}; detector: paper, appendix A.1`,
    detector: { ...detector, arch, roiResolution: dilatedC5Defaults.roiResolution },
  };
}

/** A recipe that predicts masks too. */
export function withMasks(recipe: DetectionRecipe): DetectionRecipe {
  if (recipe.detector.masks) return recipe;
  return {
    ...recipe,
    name: `${recipe.name}-masks`,
    source: `${recipe.source}; masks: detectron2's mask head on C4`,
    detector: { ...recipe.detector, masks: true },
  };
}

/** The preset of pre-training whose encoders fit a detection preset; undefined where the kit trains none of that size. */
export function pretrainingPreset(recipe: DetectionRecipe): PresetName | undefined {
  return (["smoke", "quick"] as const).find((name) => recipe.name === name || recipe.name.startsWith(`${name}-`));
}
