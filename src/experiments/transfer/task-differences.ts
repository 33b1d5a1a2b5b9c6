import { publishedCoco } from "../../paper/published-coco";
import { publishedVoc } from "../../paper/published-detection";
import { publishedDifference, publishedPretrainings, type PublishedTable } from "../../paper/published-table";
import { publishedTasks } from "../../paper/published-tasks";

/** How MoCo stands to supervised pre-training: as printed, to a tenth of a point. */
export type Standing = "ahead" | "level" | "behind";

/** How MoCo differs from supervised pre-training by one printed figure, in points. */
export interface PublishedDifference {
  /** Detector and schedule, where the task has several; else the task. */
  readonly setting: string;
  readonly measure: string;
  /** By which supervised pre-training is above random weights. */
  readonly gap: number;
  /** MoCo on ImageNet-1M minus supervised pre-training on it. */
  readonly imageNet: number;
  /** MoCo on Instagram-1B minus supervised pre-training on ImageNet-1M. */
  readonly instagram: number;
}

/** A task that the paper carries its encoder to. */
export interface TransferTask {
  readonly name: string;
  readonly table: string;
  /** What the paper says in words: the seven of its footnote 5, and the two exceptions it names. */
  readonly saidToBe: Standing;
  /** All printed figures. */
  readonly differences: readonly PublishedDifference[];
}

/** The nine task columns of Tables 2, 5 and 6. */
export function transferTasks(): readonly TransferTask[] {
  const task = (
    name: string,
    saidToBe: Standing,
    table: PublishedTable,
    wanted: { readonly column?: string; readonly measures?: string } = {},
  ): TransferTask => ({
    name,
    table: table.title.split(":")[0]!,
    saidToBe,
    differences: differencesOf(table, wanted),
  });
  const ofTable6 = (column: string, saidToBe: Standing) => task(column, saidToBe, publishedTasks, { column });
  return [
    task("VOC detection", "ahead", publishedVoc),
    task("COCO detection", "ahead", publishedCoco, { measures: "boxes" }),
    task("COCO instance segmentation", "ahead", publishedCoco, { measures: "masks" }),
    ofTable6("LVIS v0.5 instance segmentation", "ahead"),
    ofTable6("COCO keypoints", "ahead"),
    ofTable6("COCO dense pose", "ahead"),
    ofTable6("Cityscapes semantic segmentation", "ahead"),
    ofTable6("Cityscapes instance segmentation", "level"),
    ofTable6("VOC semantic segmentation", "behind"),
  ];
}

/** Of a difference in points. */
export function standingOf(points: number): Standing {
  return points > 0 ? "ahead" : points < 0 ? "behind" : "level";
}

/** Which pre-training of MoCo a comparison is of. */
export type MocoData = "imageNet" | "instagram";

/** How MoCo stands by all printed figures of a task: one word where they agree, level ones aside; else "mixed". */
export function standingOfTask({ differences }: TransferTask, data: MocoData): Standing | "mixed" {
  const apart = new Set(differences.map((one) => standingOf(one[data])).filter((standing) => standing !== "level"));
  if (apart.size > 1) return "mixed";
  return [...apart][0] ?? "level";
}

/** The figures of a task that detectors and segmenters are ranked by: AP or the mean IoU. */
export function mainDifferences({ differences }: TransferTask): readonly PublishedDifference[] {
  return differences.filter(({ measure }) => !/^AP\d/.test(measure));
}

/**
 * Share of the gap from random weights to supervised pre-training that MoCo covers; above 1 where it goes beyond.
 *
 * @returns undefined where supervised pre-training is no better than random weights: there is nothing to close
 */
export function shareOfGap(difference: PublishedDifference, data: MocoData): number | undefined {
  return difference.gap > 0 ? (difference.gap + difference[data]) / difference.gap : undefined;
}

function differencesOf(
  table: PublishedTable,
  { column, measures: ending = "" }: { readonly column?: string; readonly measures?: string },
): PublishedDifference[] {
  const { random, supervised, imageNet, instagram } = publishedPretrainings;
  const settings = [...new Set(table.rows.map((row) => row.column))].filter(
    (one) => column === undefined || one === column,
  );
  return settings.flatMap((setting) =>
    table.measures.flatMap((measure): PublishedDifference[] => {
      if (!measure.endsWith(ending)) return [];
      const [gap, onImageNet, onInstagram] = [
        [supervised, random],
        [imageNet, supervised],
        [instagram, supervised],
      ].map(([of, to]) => publishedDifference(table, { column: setting, measure, of: of!, to: to! }));
      // A task is not measured by every column of Table 6.
      if (gap === undefined) return [];
      return [{ setting, measure, gap, imageNet: onImageNet!, instagram: onInstagram! }];
    }),
  );
}
