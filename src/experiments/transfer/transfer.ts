import { InputError } from "../../errors";
import { figure3, publishedMomenta } from "../../paper/published-ablations";
import { detectionPreset } from "../../recipes/detection-presets";
import type { DetectionRecipe } from "../../detection/detection-recipe";
import { isOfMasks, measureTitles, type DetectionMeasure } from "../../detection/metric/detection-metrics";
import type { Recipe } from "../../train/recipe";
import { defaultMethod, methodRecipe, mocoRecipe, withStem } from "../../recipes/method-recipes";
import { presetNamed, type Preset, type PresetName } from "../../recipes/presets";
import { publishedCoco, publishedCocoTables } from "../../paper/published-coco";
import { publishedDetectionTables, publishedVoc, publishedVocMechanisms } from "../../paper/published-detection";
import { publishedDifference, publishedPretrainings, type PublishedTable } from "../../paper/published-table";
import { publishedTaskTables } from "../../paper/published-tasks";

/** What a row is there for. */
export type TransferPurpose = "initialization" | "mechanism" | "ablation" | "control";

/** A detector that the kit trains from one initialization; everything else is the same in all rows. */
export interface TransferRow {
  readonly label: string;
  readonly purpose: TransferPurpose;
  /** What is pre-trained first, with the row's seed; undefined for random weights. */
  readonly pretraining: Recipe | undefined;
  readonly detection: DetectionRecipe;
}

/** The paper's difference by each measure that it prints, in points; only its sign counts. */
export type PublishedDifferences = Readonly<Partial<Record<DetectionMeasure, number>>>;

/** Two rows whose difference the paper has a sign for. */
export interface TransferComparison {
  readonly row: string;
  readonly reference: string;
  readonly published: PublishedDifferences;
  readonly source: string;
}

/** Pre-training carried to detection: what to run, and which differences to look at. */
export interface Transfer {
  readonly name: TransferName;
  readonly title: string;
  /** Tables of the paper that ask the same, and what docs/claims.md asks of them. */
  readonly paper: string;
  readonly claims: string;
  readonly published: readonly PublishedTable[];
  /** Where the data come from and what to know of them. */
  readonly data: string;
  /** The preset of pre-training. */
  readonly preset: Preset;
  readonly rows: readonly TransferRow[];
  readonly comparisons: readonly TransferComparison[];
}

export const transferNames = ["smoke", "quick", "small", "smoke-fpn", "quick-fpn", "bccd", "nuclei"] as const;
export type TransferName = (typeof transferNames)[number];

/** Minutes on two cores for one seed of its initializations, without the pre-training that notebooks 01 to 05 make. */
export const transferMinutes: Readonly<Record<TransferName, number>> = {
  smoke: 1,
  quick: 15,
  small: 15,
  "smoke-fpn": 1,
  "quick-fpn": 27,
  bccd: 30,
  nuclei: 60,
};

const { random, supervised, imageNet } = publishedPretrainings;

/** Label of the row that the paper is about. */
export const mocoLabel = "MoCo";

/**
 * The transfer of a name: to detection (Tables 2 to 4 of the paper, and the ablations that it left on linear probes), or to
 * detection and instance segmentation with an FPN (Table 5).
 */
export function transferNamed(name: TransferName): Transfer {
  switch (name) {
    case "smoke":
    case "quick":
    case "small":
      return scenesTransfer(name);
    case "smoke-fpn":
    case "quick-fpn":
      return fpnTransfer(name);
    case "bccd":
      return bccdTransfer();
    case "nuclei":
      return nucleiTransfer();
  }
}

/** The transfer of a preset to detection and instance segmentation; undefined where its encoders are not carried there. */
export function fpnTransferName(preset: PresetName): "smoke-fpn" | "quick-fpn" | undefined {
  return preset === "small" ? undefined : `${preset}-fpn`;
}

/**
 * The transfer of a preset to detection and instance segmentation.
 *
 * @throws InputError if its encoders are not carried there
 */
export function fpnTransferOf(preset: PresetName): Transfer {
  const name = fpnTransferName(preset);
  if (name !== undefined) return transferNamed(name);
  throw new InputError(`Cannot carry encoders of preset ${preset} to detectors with an FPN: choose preset quick`);
}

const scenesData = "composed scenes of emoji: neither VOC nor COCO, and comparable with no published figure";

const vocTables = {
  paper: "Tables 2 to 4",
  claims: "S3, S10; doubts D1, D2",
  published: publishedDetectionTables,
} satisfies Partial<Transfer>;

const cocoTables = {
  paper: "Tables 5, 6 and A.1",
  claims: "S4, S10; doubt D7",
  published: [...publishedCocoTables, ...publishedTaskTables],
} satisfies Partial<Transfer>;

/** To composed scenes: all initializations, the mechanisms of Table 3, and the ablations of K and m. */
function scenesTransfer(name: "smoke" | "quick" | "small"): Transfer {
  const preset = presetNamed(name);
  const detection = detectionPreset(name === "small" ? "quick" : name);
  const [m, largest] = [preset.queueAblationMomentum, preset.momentumAblationQueueSize];
  const smallest = preset.queueSizes[0]!;
  const of = (kind: "supervised" | "end-to-end" | "memory-bank" | "moco") =>
    methodRecipe(preset, defaultMethod(preset, kind));
  const row = (label: string, purpose: TransferPurpose, pretraining?: Recipe): TransferRow => ({
    label,
    purpose,
    pretraining,
    detection,
  });
  const momenta = preset.momenta.filter((momentum) => momentum < m);
  return {
    name,
    title: "Transfer to detection, composed scenes",
    ...vocTables,
    data: scenesData,
    preset,
    rows: [
      row("random", "initialization"),
      row("supervised", "initialization", of("supervised")),
      row(mocoLabel, "initialization", of("moco")),
      row("end-to-end", "mechanism", of("end-to-end")),
      row("memory bank", "mechanism", of("memory-bank")),
      ...momenta.map((momentum) => row(`MoCo, m = ${momentum}`, "ablation", mocoRecipe(preset, largest, momentum))),
      row(`MoCo, K = ${smallest}`, "ablation", mocoRecipe(preset, smallest, m)),
      {
        ...row("random, labels shuffled", "control"),
        detection: { ...detection, name: `${detection.name}-shuffled`, dataset: withShuffledLabels(detection) },
      },
    ],
    comparisons: [
      { row: "supervised", reference: "random", ...ofTable2(supervised, random) },
      { row: mocoLabel, reference: "random", ...ofTable2(imageNet, random) },
      { row: mocoLabel, reference: "supervised", ...ofTable2(imageNet, supervised) },
      { row: "end-to-end", reference: mocoLabel, ...ofTable3("end-to-end") },
      { row: "memory bank", reference: mocoLabel, ...ofTable3("memory bank") },
      ...momenta.map((momentum) => ({
        row: `MoCo, m = ${momentum}`,
        reference: mocoLabel,
        // m = 0 failed to train: below any that did.
        ...byLinearProbe(
          momentum === 0 ? -1 : Number(publishedMomenta.get(0.9)) - Number(publishedMomenta.get(0.99)),
          "section 4.1",
        ),
      })),
      {
        row: `MoCo, K = ${smallest}`,
        reference: mocoLabel,
        ...byLinearProbe(figure3.moco.get(256)! - figure3.moco.get(4096)!, "Figure 3"),
      },
    ],
  };
}

/** To composed scenes with masks: the three initializations of Table 5, Mask R-CNN with an FPN. */
function fpnTransfer(name: "smoke-fpn" | "quick-fpn"): Transfer {
  const preset = presetNamed(name === "smoke-fpn" ? "smoke" : "quick");
  const row = initializationRow(preset, detectionPreset(name));
  return {
    name,
    title: "Transfer to detection and instance segmentation, composed scenes",
    ...cocoTables,
    data: scenesData,
    preset,
    rows: [row("random"), row("supervised", "supervised"), row(mocoLabel, "moco")],
    comparisons: [
      { row: "supervised", reference: "random", ...ofTable5(supervised, random) },
      { row: mocoLabel, reference: "random", ...ofTable5(imageNet, random) },
      { row: mocoLabel, reference: "supervised", ...ofTable5(imageNet, supervised) },
    ],
  };
}

/** To photographs of blood cells in VOC's format, which lie in a folder of the user's. */
function bccdTransfer(): Transfer {
  const preset = presetNamed("quick");
  const row = initializationRow(preset, detectionPreset("bccd"));
  return {
    name: "bccd",
    title: "Transfer to detection, blood cells (BCCD)",
    ...vocTables,
    data: "BCCD, 364 photographs of blood cells (MIT license), its own splits; pre-training on drawings, as everywhere here",
    preset,
    rows: [row("random"), row(mocoLabel, "moco")],
    comparisons: [{ row: mocoLabel, reference: "random", ...ofTable2(imageNet, random) }],
  };
}

/** To microscope images of nuclei with masks in COCO's format, which lie in a folder of the user's. */
function nucleiTransfer(): Transfer {
  const preset = presetNamed("quick");
  const row = initializationRow(preset, detectionPreset("nuclei"));
  return {
    name: "nuclei",
    title: "Transfer to detection and instance segmentation, nuclei (BBBC038)",
    ...cocoTables,
    data:
      "664 microscope images of nuclei (Data Science Bowl 2018, BBBC038, CC0), one category; a seventh of the training part held out " +
      "for validation, figures on its validation part; pre-training on drawings, as everywhere here",
    preset,
    rows: [row("random"), row(mocoLabel, "moco")],
    comparisons: [{ row: mocoLabel, reference: "random", ...ofTable5(imageNet, random) }],
  };
}

/** Makes rows of one detector from random weights, or from a pre-training of the preset with the detector's stem. */
function initializationRow(preset: Preset, detection: DetectionRecipe) {
  return (label: string, kind?: "supervised" | "moco"): TransferRow => ({
    label,
    purpose: "initialization",
    pretraining: kind && withStem(methodRecipe(preset, defaultMethod(preset, kind)), detection.detector.backbone),
    detection,
  });
}

function withShuffledLabels({ dataset }: DetectionRecipe): DetectionRecipe["dataset"] {
  return dataset.kind === "scenes" ? { ...dataset, shuffledLabels: true } : dataset;
}

type Published = Pick<TransferComparison, "published" | "source">;

function ofTable2(of: string, to: string): Published {
  return { published: differences(publishedVoc, { column: "R50-C4", of, to }), source: "Table 2b" };
}

function ofTable3(mechanism: string): Published {
  const rows = { column: "R50-C4", of: mechanism, to: "MoCo" };
  return { published: differences(publishedVocMechanisms, rows), source: "Table 3, C4" };
}

function ofTable5(of: string, to: string): Published {
  return { published: differences(publishedCoco, { column: "R50-FPN, 1x", of, to }), source: "Table 5a" };
}

/** An ablation that the paper has linear probes of alone: the sign that they have is asked of each AP. */
function byLinearProbe(difference: number, where: string): Published {
  return { published: { ap: difference, ap50: difference, ap75: difference }, source: `linear probe, ${where}` };
}

/** How two rows of a table differ, by each measure that it has. */
function differences(table: PublishedTable, rows: Readonly<Record<"column" | "of" | "to", string>>) {
  const names = Object.entries(measureTitles) as [DetectionMeasure, string][];
  return Object.fromEntries(
    names.flatMap(([measure, title]) => {
      const measures = isOfMasks(measure) ? [title] : [title, `${title}, boxes`];
      const found = measures.map((one) => publishedDifference(table, { ...rows, measure: one }));
      const difference = found.find((one) => one !== undefined);
      return difference === undefined ? [] : [[measure, difference]];
    }),
  ) as PublishedDifferences;
}
