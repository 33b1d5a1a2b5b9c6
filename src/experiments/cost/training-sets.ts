import type { DetectionDataset } from "../../detection/detection-recipe";
import type { Recipe } from "../../train/recipe";
import type { TrainingSetFacts } from "../../methods/method";

/** ImageNet-1k: the paper's "IN-1M", section 4; the official code's 5,004 iterations of 256 an epoch are of this count. */
const imageNet: TrainingSetFacts = { images: 1_281_167, classes: 1000 };

/** The training part of IN-100, 100 classes of ImageNet-1k (Tian et al., 2019). */
const imageNet100: TrainingSetFacts = { images: 126_689, classes: 100 };

/**
 * Images that a detector is trained on, by the names that recipes have for the parts: the lines of `trainval.txt` of VOC 2007
 * and 2012 (16,551 together), and of the 118,287 images of COCO's `train2017` those with an object that is no crowd
 * (detectron2's log: "Removed 1021 images with no usable annotations. 117266 images left.", facebookresearch/detectron2#1134).
 */
const vocImages: Readonly<Record<string, number>> = { "VOC2007/trainval": 5011, "VOC2012/trainval": 11_540 };
const cocoImages: Readonly<Record<string, number>> = { train2017: 117_266 };

/** What is published of the data set of a pre-training or a linear classifier; undefined where it is none of the paper's. */
export function pretrainingSet({ dataset }: Pick<Recipe, "dataset">): TrainingSetFacts | undefined {
  if (dataset === "folder:imagenet100") return imageNet100;
  return dataset === "folder:imagenet" ? imageNet : undefined;
}

/** What is published of the training part of a detection data set; undefined where it is none of the paper's. */
export function detectionSet(dataset: DetectionDataset): TrainingSetFacts | undefined {
  switch (dataset.kind) {
    case "voc":
      return sumOf(dataset.train, vocImages, 20);
    case "coco":
      return sumOf([dataset.train], cocoImages, 80);
    case "scenes":
      return undefined;
  }
}

function sumOf(
  parts: readonly string[],
  images: Readonly<Record<string, number>>,
  classes: number,
): TrainingSetFacts | undefined {
  const counts = parts.map((part) => images[part]);
  return counts.every((count) => count !== undefined)
    ? { images: counts.reduce((sum, count) => sum + count, 0), classes }
    : undefined;
}
