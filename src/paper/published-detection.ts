import { instagramReason, publishedPretrainings, type PublishedRow, type PublishedTable } from "./published-table";

const imageNet14M = "ImageNet-14M, eleven times ImageNet-1M, is too large";
const yfcc = "YFCC-100M, 100 million images, is too large";
const otherTask = "another pretext task, which this kit does not build";
const otherContrast = "another contrastive method, which this kit does not build";
const otherSupervised = "the supervised network that the other method's paper compares with";
const fewerImages = "needs VOC 2007; moco detect --preset pascal_voc_R_50_C4_9k trains it, the scenes are one set";
const dilated = "moco detect --arch dc5 builds it; notebook 06 runs C4 alone";

type Triple = readonly [ap50: number, ap: number | undefined, ap75: number | undefined];

const measures = ["AP50", "AP", "AP75"];
const { random, supervised, imageNet, instagram } = publishedPretrainings;

function row(pretraining: string, column: string, values: Triple, reason?: string): PublishedRow {
  return { pretraining, column, values, reason };
}

const c5 = "R50-dilated-C5";
const c4 = "R50-C4";

/** Table 2: VOC 2007 and 2012 trainval, 24k iterations, mean of 5 runs. */
export const publishedVoc: PublishedTable = {
  title: "Table 2: fine-tuned on VOC 07+12",
  columnTitle: "detector",
  measures,
  rows: [
    row(random, c5, [64.4, 37.9, 38.6], dilated),
    row(supervised, c5, [81.4, 54.0, 59.1], dilated),
    row(imageNet, c5, [81.1, 54.6, 59.9], dilated),
    row(instagram, c5, [81.6, 55.5, 61.2], instagramReason),
    row(random, c4, [60.2, 33.8, 33.1]),
    row(supervised, c4, [81.3, 53.5, 58.8]),
    row(imageNet, c4, [81.5, 55.9, 62.6]),
    row(instagram, c4, [82.2, 57.2, 63.7], instagramReason),
  ],
};

/** Table 3: the mechanisms, pre-trained on ImageNet-1M, as Table 2. */
export const publishedVocMechanisms: PublishedTable = {
  title: "Table 3: mechanisms, fine-tuned on VOC 07+12",
  columnTitle: "detector",
  measures,
  rows: [
    row("end-to-end", c5, [79.2, 52.0, 56.6], dilated),
    row("memory bank", c5, [79.8, 52.9, 57.9], dilated),
    row("MoCo", c5, [81.1, 54.6, 59.9], dilated),
    row("end-to-end", c4, [80.4, 54.6, 60.3]),
    row("memory bank", c4, [80.6, 54.9, 60.6]),
    row("MoCo", c4, [81.5, 55.9, 62.6]),
  ],
};

/** Table 4: VOC 2007 trainval, C4, 9k iterations; the methods of others as their papers print them. */
const table4: PublishedTable = {
  title: "Table 4: other methods, fine-tuned on VOC 07",
  columnTitle: "method of",
  measures,
  rows: [
    row("supervised, IN-1M", "RelPos", [74.2, undefined, undefined], otherSupervised),
    row("unsupervised, IN-1M", "RelPos", [66.8, undefined, undefined], otherTask),
    row("supervised, IN-1M", "Multi-task", [74.2, undefined, 44.3], otherSupervised),
    row("unsupervised, IN-1M", "Multi-task", [70.5, undefined, 43.9], otherTask),
    row("supervised, IN-1M", "Jigsaw", [70.5, undefined, undefined], otherSupervised),
    row("unsupervised, IN-1M", "Jigsaw", [61.4, undefined, undefined], otherTask),
    row("unsupervised, IN-14M", "Jigsaw", [69.2, undefined, undefined], `${otherTask}; ${imageNet14M}`),
    row("unsupervised, YFCC-100M", "Jigsaw", [66.6, undefined, undefined], `${otherTask}; ${yfcc}`),
    row("supervised, IN-1M", "LocalAgg", [74.6, undefined, undefined], otherSupervised),
    row("unsupervised, IN-1M", "LocalAgg", [69.1, undefined, undefined], otherContrast),
    row("supervised, IN-1M", "MoCo", [74.4, 42.4, 42.7], fewerImages),
    row("unsupervised, IN-1M", "MoCo", [74.9, 46.6, 50.1], fewerImages),
    row("unsupervised, IN-14M", "MoCo", [75.2, 46.9, 50.2], imageNet14M),
    row("unsupervised, YFCC-100M", "MoCo", [74.7, 45.9, 49.0], yfcc),
    row("unsupervised, IG-1B", "MoCo", [75.6, 47.6, 51.7], instagramReason),
  ],
};

/** Tables 2, 3 and 4 of the paper, whole. */
export const publishedDetectionTables: readonly PublishedTable[] = [publishedVoc, publishedVocMechanisms, table4];
