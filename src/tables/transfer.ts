import { detectionPreset } from "../detection/detection-presets";
import type { DetectionRecipe } from "../detection/detection-recipe";
import type { Recipe } from "../train/recipe";
import { defaultMethod, methodRecipe, mocoRecipe } from "./method-recipes";
import { presetNamed, type Preset } from "./presets";

/** What a row is there for. */
export type TransferPurpose = "initialisation" | "mechanism" | "ablation" | "control";

/** A detector that the kit trains from one initialisation; everything else is the same in all rows. */
export interface TransferRow {
  readonly label: string;
  readonly purpose: TransferPurpose;
  /** What is pre-trained first, with the row's seed; undefined for random weights. */
  readonly pretraining: Recipe | undefined;
  readonly detection: DetectionRecipe;
}

/** Two rows whose difference the paper has a sign for. */
export interface TransferComparison {
  readonly row: string;
  readonly reference: string;
  /** The paper's difference; only its sign counts. */
  readonly published: number | undefined;
  readonly source: string;
}

/** Pre-training carried to detection: what to run, and which differences to look at. */
export interface Transfer {
  readonly name: TransferName;
  readonly title: string;
  /** Where the data come from and what to know of them. */
  readonly data: string;
  /** The preset of pre-training. */
  readonly preset: Preset;
  readonly rows: readonly TransferRow[];
  readonly comparisons: readonly TransferComparison[];
}

export const transferNames = ["smoke", "quick", "bccd"] as const;
export type TransferName = (typeof transferNames)[number];

/** Minutes on two cores for one seed of rows that ask for no other pre-training than notebooks 01 to 05 make. */
export const transferMinutes: Readonly<Record<TransferName, number>> = { smoke: 1, quick: 15, bccd: 30 };

/** Label of the row that the paper is about. */
export const mocoLabel = "MoCo";

/** The transfer to detection of a name (Tables 2 to 4 of the paper, and the ablations that it left on linear probes). */
export function transferNamed(name: TransferName): Transfer {
  return name === "bccd" ? bccdTransfer() : scenesTransfer(name);
}

/** To composed scenes: all initialisations, the mechanisms of Table 3, and the ablations of K and m. */
function scenesTransfer(name: "smoke" | "quick"): Transfer {
  const preset = presetNamed(name);
  const detection = detectionPreset(name);
  const [m, largest] = [preset.queueAblationMomentum, preset.momentumAblationQueueSize];
  const [{ queueSize: smallest }] = preset.queueSizes as [Preset["queueSizes"][number]];
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
    data: "composed scenes of emoji: neither VOC nor COCO, and comparable with no published figure",
    preset,
    rows: [
      row("random", "initialisation"),
      row("supervised", "initialisation", of("supervised")),
      row(mocoLabel, "initialisation", of("moco")),
      row("end-to-end", "mechanism", of("end-to-end")),
      row("memory bank", "mechanism", of("memory-bank")),
      ...momenta.map((momentum) => row(`MoCo, m = ${momentum}`, "ablation", mocoRecipe(preset, largest, momentum))),
      row(`MoCo, K = ${smallest}`, "ablation", mocoRecipe(preset, smallest, m)),
      {
        ...row("random, labels shuffled", "control"),
        detection: { ...detection, name: `${name}-shuffled`, dataset: withShuffledLabels(detection) },
      },
    ],
    comparisons: [
      { row: "supervised", reference: "random", published: 81.3 - 60.2, source: "Table 2b, AP50" },
      { row: mocoLabel, reference: "random", published: 81.5 - 60.2, source: "Table 2b, AP50" },
      { row: mocoLabel, reference: "supervised", published: 81.5 - 81.3, source: "Table 2b, AP50" },
      { row: "end-to-end", reference: mocoLabel, published: 80.4 - 81.5, source: "Table 3, AP50" },
      { row: "memory bank", reference: mocoLabel, published: 80.6 - 81.5, source: "Table 3, AP50" },
      ...momenta.map((momentum) => ({
        row: `MoCo, m = ${momentum}`,
        reference: mocoLabel,
        // m = 0 failed to train: below any that did.
        published: momentum === 0 ? -1 : 55.2 - 57.8,
        source: "linear probe, section 4.1",
      })),
      { row: `MoCo, K = ${smallest}`, reference: mocoLabel, published: 54.7 - 59.0, source: "linear probe, Figure 3" },
    ],
  };
}

/**
 * To photographs of blood cells in VOC's format, which lie in a folder of the user's. The detector has the ImageNet stem, so
 * MoCo is pre-trained with it, on the drawings at their own 64 px.
 */
function bccdTransfer(): Transfer {
  const preset = presetNamed("quick");
  const detection = detectionPreset("bccd");
  const moco = methodRecipe(preset, defaultMethod(preset, "moco"));
  const pretraining: Recipe = {
    ...moco,
    name: `${moco.name}-imagenet-stem`,
    source: `${moco.source}; stem and 64 px: for detection at larger pictures`,
    imageSize: 64,
    encoder: { ...moco.encoder, stem: "imagenet" },
  };
  return {
    name: "bccd",
    title: "Transfer to detection, blood cells (BCCD)",
    data: "BCCD, 364 photographs of blood cells (MIT licence), its own splits; pre-training on drawings, as everywhere here",
    preset,
    rows: [
      { label: "random", purpose: "initialisation", pretraining: undefined, detection },
      { label: mocoLabel, purpose: "initialisation", pretraining, detection },
    ],
    comparisons: [{ row: mocoLabel, reference: "random", published: 81.5 - 60.2, source: "Table 2b, AP50" }],
  };
}

function withShuffledLabels({ dataset }: DetectionRecipe): DetectionRecipe["dataset"] {
  return dataset.kind === "scenes" ? { ...dataset, shuffledLabels: true } : dataset;
}
