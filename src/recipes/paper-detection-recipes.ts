import type { DetectionRecipe } from "../detection/detection-recipe";
import { c4Defaults, dilatedC5Defaults, fpnDefaults } from "../detection/detector-config";

/** Channel means and deviations that the official MoCo overlays of the detection configurations set, pixels in 0 to 1. */
export const imageNetNormalization = {
  mean: [123.675 / 255, 116.28 / 255, 103.53 / 255],
  std: [58.395 / 255, 57.12 / 255, 57.375 / 255],
} satisfies Pick<DetectionRecipe["images"], "mean" | "std">;

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
  images: { trainShortest: from480, testShortest: 800, longest: 1333, flip: true, ...imageNetNormalization },
  schedule: { iterations: 24000, warmup: 100, milestones: [18000, 22000] },
};

/** Table 2 (a) and the first column of Table 3: as C4's, which share all but the detector (paper, section 4.2.1). */
const voc24kDilatedC5: DetectionRecipe = {
  ...voc24k,
  detector: { ...paperBase.detector, arch: "dc5", roiResolution: dilatedC5Defaults.roiResolution },
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
  images: {
    trainShortest: from480.filter((length) => length >= 640),
    testShortest: 800,
    longest: 1333,
    flip: true,
    ...imageNetNormalization,
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

/** Table 5 (a): Mask R-CNN with FPN. */
const cocoFpn1x: DetectionRecipe = {
  ...coco1x,
  name: "coco_R_50_FPN_1x",
  source: fpnSource("Table 5, with detectron2's 1x milestones"),
  detector: {
    ...paperBase.detector,
    arch: "fpn",
    ...fpnDefaults,
    anchorSizes: [...fpnDefaults.anchorSizes],
    masks: true,
  },
};

/** Table 5 (b). */
const cocoFpn2x: DetectionRecipe = {
  ...cocoFpn1x,
  name: "coco_R_50_FPN_2x",
  source: fpnSource("Table 5, with the milestones of coco_R_50_C4_2x"),
  schedule: coco2x.schedule,
};

/** Table A.1: three times the 2x schedule. */
const cocoFpn6x: DetectionRecipe = {
  ...cocoFpn1x,
  name: "coco_R_50_FPN_6x",
  source: fpnSource("Table A.1, with detectron2's milestones beyond 2x: 60k and 20k iterations before the end"),
  schedule: { iterations: 540000, warmup: 1000, milestones: [480000, 520000] },
};

/** The recipes of the paper's Tables 2 to 5 and A.1. */
export const paperDetectionRecipes: readonly DetectionRecipe[] = [
  voc24k,
  voc24kDilatedC5,
  voc9k,
  coco1x,
  coco2x,
  cocoFpn1x,
  cocoFpn2x,
  cocoFpn6x,
];

function fpnSource(schedule: string): string {
  return (
    `${official}: coco_R_50_C4_2x, whose optimizer and images the COCO recipes share; detector: detectron2's Base-RCNN-FPN, ` +
    `batch normalization in backbone and pyramid alone (facebookresearch/moco, issue 34); schedule: paper, ${schedule}`
  );
}
