import { InputError } from "../../errors";
import { figure3, publishedMomenta, type Published } from "../../paper/published-ablations";
import { publishedEncoders, publishedMethods } from "../../paper/published-methods";
import { endToEndRecipe, memoryBankRecipe, mocoV1Recipe } from "../../recipes/paper-recipes";
import type { Recipe } from "../../train/recipe";
import type { Ablation, Cell } from "../ablation/ablation";

/** Tables of the paper whose own rows the kit can train, by the paper's own recipes. */
export const paperAblationNames = ["mechanisms", "linear-evaluation", "queue-size", "momentum"] as const;
export type PaperAblationName = (typeof paperAblationNames)[number];

/** The name by which a notebook and `moco table` take the paper's own rows, where else a preset's name stands. */
export const paperPreset = "paper";

/** Seed of every training: the paper has one of each. */
export const paperSeed = 1;

/**
 * The table of the paper's own rows that has a name.
 *
 * @throws InputError if there is none
 */
export function paperAblationNamed(name: string): PaperAblationName {
  const found = paperAblationNames.find((one) => one === name);
  if (found !== undefined) return found;
  throw new InputError(
    `Cannot take the table ${name} with --preset ${paperPreset}: the tables of the paper's own rows are ${paperAblationNames.join(", ")}`,
  );
}

/** K of the ablation of the momentum (section 4.1). */
const momentumQueueSize = 4096;

/**
 * A table with the paper's rows, each by the recipe that the paper has for it: days on a GPU for each row.
 *
 * @param dataset - where ImageNet is, "folder:PATH"
 */
export function paperAblation(name: PaperAblationName, dataset: string = mocoV1Recipe.dataset): Ablation {
  const { cells, ...rest } = tables[name];
  return { publishedOnly: [], ...rest, cells: cells.map((cell) => ({ ...cell, recipe: { ...cell.recipe, dataset } })) };
}

type Table = Omit<Ablation, "publishedOnly"> & Partial<Pick<Ablation, "publishedOnly">>;

const tables: Readonly<Record<PaperAblationName, Table>> = {
  mechanisms: {
    id: "mechanisms",
    title: "Mechanisms",
    paper: "Figures 2 and 3",
    claims: ["S7", "S8"],
    axis: {
      name: "mechanism",
      values: [...figure3.moco.keys(), ...figure3["memory-bank"].keys(), ...figure3["end-to-end"].keys()],
      logarithmic: true,
    },
    cells: [
      ...figure3Cells("moco", "MoCo", mocoRecipe),
      ...figure3Cells("memory-bank", "memory bank", (negatives) => ({
        ...memoryBankRecipe,
        method: { ...memoryBankRecipe.method, negatives } as Recipe["method"],
      })),
      ...figure3Cells("end-to-end", "end-to-end", (batch) => endToEndRecipe(batch as 256 | 512 | 1024)),
    ],
    referenceLabel: "MoCo, K = 256",
    publishedCurves: [
      { name: "MoCo", points: figure3.moco },
      { name: "memory bank", points: figure3["memory-bank"] },
      { name: "end-to-end", points: figure3["end-to-end"] },
    ],
  },
  "linear-evaluation": {
    id: "linear-evaluation",
    title: "Linear evaluation",
    paper: "Table 1",
    claims: ["S1"],
    axis: { name: "method", values: [], logarithmic: false },
    cells: publishedEncoders.map(({ name, network, accuracy }): Cell => ({
      label: `MoCo, ${name}`,
      recipe: { ...mocoV1Recipe, encoder: { ...mocoV1Recipe.encoder, ...network } },
      published: { value: accuracy, source: "Table 1" },
      publishedAt: undefined,
      claimed: name === "R50" ? "60.6" : undefined,
    })),
    referenceLabel: "MoCo, R50",
    publishedOnly: publishedMethods.map(([label, parameters, value, reason]) => ({
      label,
      parameters,
      published: { value, source: "Table 1" },
      claimed: undefined,
      reason,
    })),
  },
  "queue-size": {
    id: "queue-size",
    title: "Size of the queue",
    paper: "Figure 3 and section 4.1",
    claims: ["S5", "S8"],
    axis: { name: "K", values: [...figure3.moco.keys()], logarithmic: true },
    cells: figure3Cells("moco", undefined, mocoRecipe),
    referenceLabel: "K = 256",
  },
  momentum: {
    id: "momentum",
    title: "Momentum of the key encoder",
    paper: "section 4.1, table in the text",
    claims: ["S6"],
    axis: { name: "m", values: [...publishedMomenta.keys()], logarithmic: false },
    cells: [...publishedMomenta].map(([momentum, value]): Cell => ({
      label: `m = ${momentum}`,
      recipe: mocoRecipe(momentumQueueSize, momentum),
      published: { value, source: "section 4.1" },
      publishedAt: undefined,
      claimed: undefined,
    })),
    referenceLabel: "m = 0.999",
  },
};

/** A curve of Figure 3, a cell a point. */
function figure3Cells(
  mechanism: keyof typeof figure3,
  series: string | undefined,
  recipe: (size: number) => Recipe,
): readonly Cell[] {
  return [...figure3[mechanism]].map(([size, value]): Cell => {
    const published: Published = { value, source: "Figure 3" };
    const label = `${mechanism === "end-to-end" ? "batch" : "K"} = ${size.toLocaleString("en")}`;
    return {
      label: series === undefined ? label : `${series}, ${label}`,
      ...(series !== undefined && { series }),
      recipe: recipe(size),
      published,
      publishedAt: undefined,
      claimed: undefined,
    };
  });
}

/** MoCo v1 with another K or m: the recipe of `moco pretrain --preset moco-v1-imagenet --queue-size K --momentum m`. */
function mocoRecipe(queueSize: number, momentum = 0.999): Recipe {
  return { ...mocoV1Recipe, method: { ...mocoV1Recipe.method, queueSize, momentum } as Recipe["method"] };
}
