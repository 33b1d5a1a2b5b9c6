import { instagramReason, publishedPretrainings, type PublishedRow, type PublishedTable } from "./published-table";

const { random, supervised, imageNet, instagram } = publishedPretrainings;

type Values = readonly (number | undefined)[];

/** The rows of one task: random, supervised, MoCo on ImageNet-1M and on Instagram-1B. */
function block(task: string, reason: string, values: readonly [Values, Values, Values, Values]): PublishedRow[] {
  return [random, supervised, imageNet, instagram].map((pretraining, index) => ({
    pretraining,
    column: task,
    values: values[index]!,
    reason: pretraining === instagram ? `${reason}; ${instagramReason}` : reason,
  }));
}

/** As {@link block}, of a task whose one figure is the mean IoU. */
function meanIoU(task: string, reason: string, values: readonly [number, number, number, number]): PublishedRow[] {
  const [first, second, third, fourth] = values.map((value): Values => [undefined, undefined, undefined, value]);
  return block(task, reason, [first!, second!, third!, fourth!]);
}

/** Table 6: six further tasks; AP of keypoints, of dense poses and of masks. */
export const publishedTasks: PublishedTable = {
  title: "Table 6: other tasks",
  columnTitle: "task",
  measures: ["AP", "AP50", "AP75", "mean IoU"],
  rows: [
    ...block("COCO keypoints", "a head for keypoints is not built", [
      [65.9, 86.5, 71.7],
      [65.8, 86.9, 71.9],
      [66.8, 87.4, 72.5],
      [66.9, 87.8, 73.0],
    ]),
    ...block("COCO dense pose", "a head for dense poses is not built", [
      [39.4, 78.5, 35.1],
      [48.3, 85.6, 50.6],
      [50.1, 86.8, 53.9],
      [50.6, 87.0, 54.3],
    ]),
    ...block("LVIS v0.5 instance segmentation", "LVIS, with its thousand categories and their sampling, is not built", [
      [22.5, 34.8, 23.8],
      [24.4, 37.8, 25.8],
      [24.1, 37.4, 25.5],
      [24.9, 38.2, 26.4],
    ]),
    ...block("Cityscapes instance segmentation", "a reader of Cityscapes, which asks for an account, is not built", [
      [25.4, 51.1],
      [32.9, 59.6],
      [32.3, 59.3],
      [32.9, 60.3],
    ]),
    ...meanIoU("Cityscapes semantic segmentation", "a semantic head is not built", [65.3, 74.6, 75.3, 75.5]),
    ...meanIoU("VOC semantic segmentation", "a semantic head is not built", [39.5, 74.4, 72.5, 73.6]),
  ],
  note: "LVIS: supervised with frozen batch normalization, which serves it better; MoCo with trained one.",
};

/** Appendix: LVIS with batch normalization frozen or trained, by schedule; masks. */
const lvisNormalization: PublishedTable = {
  title: "Appendix: batch normalization on LVIS v0.5",
  columnTitle: "batch normalization and schedule",
  measures: ["AP", "AP50", "AP75"],
  rows: (
    [
      [supervised, "frozen", [24.1, 37.3, 25.4], [24.4, 37.8, 25.8]],
      [supervised, "trained", [23.5, 36.6, 24.8], [23.2, 36.0, 24.4]],
      [imageNet, "trained", [23.2, 36.0, 24.7], [24.1, 37.4, 25.5]],
      [instagram, "trained", [24.3, 37.4, 25.9], [24.9, 38.2, 26.4]],
    ] as const
  ).flatMap(([pretraining, normalization, once, twice]) =>
    [once, twice].map((values, index) => ({
      pretraining,
      column: `${normalization}, ${index + 1}x`,
      values,
      reason:
        "LVIS, with its thousand categories and their sampling, is not built" +
        (pretraining === instagram ? `; ${instagramReason}` : ""),
    })),
  ),
};

/** Table 6 and what the appendix says of LVIS. */
export const publishedTaskTables: readonly PublishedTable[] = [publishedTasks, lvisNormalization];
