import type { Published } from "../../paper/published-ablations";
import { sameBackbone, type ResNetConfig } from "../../nn/resnet-layout";
import type { Recipe } from "../../train/recipe";

/** One row of an ablation that the kit trains. */
export interface Cell {
  /** How the row is named, for example "K = 64". */
  readonly label: string;
  readonly recipe: Recipe;
  /** The curve of the chart that it is a point of, where there are several. */
  readonly series?: string;
  readonly published: Published | undefined;
  /** What the published number was measured at, where it is not the row's own setting. */
  readonly publishedAt: string | undefined;
  /** What is popularly claimed of this row, in a few words; the full claim is in docs/claims.md. */
  readonly claimed: string | undefined;
}

/** A row that stands as published only. */
export interface PublishedOnlyRow {
  readonly label: string;
  readonly published: Published;
  /** Parameters of its encoder in millions, where the paper prints them. */
  readonly parameters?: number;
  readonly claimed: string | undefined;
  /** Why it is not trained here. */
  readonly reason: string;
}

/** An ablation of the paper at the size of a preset: what to run, and what to set it beside. */
export interface Ablation {
  readonly id: "queue-size" | "momentum" | "mechanisms" | "linear-evaluation" | "encoders" | "training-length";
  readonly title: string;
  /** Figure, table or section of the paper. */
  readonly paper: string;
  /** Claims of docs/claims.md that it bears on. */
  readonly claims: readonly string[];
  /** Name of the axis and value of each cell, for charts; no values where the rows lie along no axis. */
  readonly axis: { readonly name: string; readonly values: readonly number[]; readonly logarithmic: boolean };
  readonly cells: readonly Cell[];
  /** The cell that the others are compared with, in the paper's numbers and in ours. */
  readonly referenceLabel: string;
  readonly publishedOnly: readonly PublishedOnlyRow[];
  /** The paper's curves along the axis, whole and with the paper's own values on it; undefined where its points are rows. */
  readonly publishedCurves?: readonly PublishedCurve[];
}

/** The backbones of some cells, each once. */
export function backbonesOf(cells: readonly Cell[]): readonly ResNetConfig[] {
  const backbones: ResNetConfig[] = [];
  for (const { encoder } of cells.map(({ recipe }) => recipe)) {
    if (!backbones.some((known) => sameBackbone(known, encoder))) {
      const { architecture, width, stem } = encoder;
      backbones.push({ architecture, width, stem });
    }
  }
  return backbones;
}

/** A curve of the paper, as printed. */
export interface PublishedCurve {
  /** As the cells' `series`. */
  readonly name: string;
  /** ImageNet linear top-1 in percent, by the value on the axis. */
  readonly points: ReadonlyMap<number, number>;
}
