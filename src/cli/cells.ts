import { Command, Option } from "commander";
import { parseDataName } from "../data/load";
import { textTable } from "../display/table";
import { InputError } from "../errors";
import type { Ablation } from "../experiments/ablation/ablation";
import { paperAblationNamed, paperAblationNames, paperPreset } from "../experiments/paper-scale/paper-ablation";
import { presetNamed } from "../recipes/presets";
import { ablationNames } from "../report/ablations";
import { mainTables, plannedCells, plannedPaperCells, type PlannedCell } from "../report/planned-cells";
import { integerFrom, positiveNumber } from "./numbers";
import { assertPaperData, paperDataOption, presetOption } from "./paper-flags";

/** What the tables are of: a preset, or the paper's own rows on a data set. */
interface Selection {
  readonly preset: string;
  readonly data?: string;
}

interface ListFlags extends Selection {
  readonly tables?: readonly Ablation["id"][];
  readonly seeds: number;
  readonly json?: boolean;
}

/** The flags of `moco cells run`. */
export interface RunFlags extends Selection {
  readonly pretrainOnly?: boolean;
  readonly checkpointSeconds: number;
}

/** `moco cells`: the trainings of the tables one by one, for an engine that makes each a job (workflow/Snakefile). */
export function cellsCommand(): Command {
  const command = new Command("cells").description(
    "list the trainings of tables, and run one of them: a job of a cluster",
  );

  command
    .command("list")
    .description("list each cell and seed; nothing is trained")
    .addOption(presetOption())
    .addOption(paperDataOption())
    .addOption(
      new Option("--tables <names...>", `tables whose cells are listed (default: ${mainTables.join(" ")})`).choices(
        ablationNames,
      ),
    )
    .option("--seeds <count>", "seeds for each cell", integerFrom(1), 1)
    .option("--json", "print JSON")
    .action(async ({ tables = mainTables, seeds, json, ...selection }: ListFlags) => {
      const cells = await cellsOf(selection, tables, seeds);
      if (json) {
        const { preset } = selection;
        // All cells of a preset are of one data set, and so are the paper's.
        const { dataset, imageSize } = cells[0]!.recipe;
        const baselines = preset !== paperPreset;
        const plan = { preset, seeds, dataset, imageSize, baselines, tables, cells: cells.map(cellJson) };
        console.log(JSON.stringify(plan, null, 2));
      } else {
        const rowsOf = ({ rows }: PlannedCell) => rows.map(({ table, label }) => `${table}: ${label}`).join("; ");
        console.log(textTable(cells.map((cell) => ({ cell: cell.id, rows: rowsOf(cell) }))));
      }
    });

  command
    .command("run")
    .description(
      "train and evaluate one cell with one seed, or go on with it; what is finished is looked up. The evaluation of " +
        `--preset ${paperPreset} is a linear classifier by the paper's protocol`,
    )
    .argument("<cell>", "as moco cells list names it")
    .addOption(presetOption())
    .addOption(paperDataOption())
    .option("--pretrain-only", "leave the evaluation to a later call")
    .option("--checkpoint-seconds <seconds>", "time between checkpoints", positiveNumber, 30)
    .action(async (id: string, flags: RunFlags) => {
      const cell = await findCell(id, flags);
      const { runCellAction, runPaperCellAction } = await import("./cells-action.js");
      await (flags.preset === paperPreset ? runPaperCellAction : runCellAction)(cell, flags);
    });

  command
    .command("baselines")
    .description("evaluate what stands beside the cells: random networks and the pixels")
    .addOption(presetOption())
    .action(async ({ preset }: { readonly preset: string }) => {
      if (preset === paperPreset) {
        throw new InputError(`Cannot evaluate baselines with --preset ${paperPreset}: the paper's tables have none`);
      }
      const { baselinesAction } = await import("./cells-action.js");
      await baselinesAction(presetNamed(preset));
    });
  return command;
}

/** The cells of some tables. */
async function cellsOf(
  { preset: name, data }: Selection,
  tables: readonly Ablation["id"][],
  seeds: number,
): Promise<readonly PlannedCell[]> {
  assertPaperData({ preset: name, data });
  if (name === paperPreset) {
    if (seeds > 1) {
      throw new InputError(
        `Cannot plan ${seeds} seeds with --preset ${paperPreset}: the paper has one training of each row. Give 1, or leave out --seeds`,
      );
    }
    return plannedPaperCells(tables.map(paperAblationNamed), data && parseDataName(data));
  }
  const preset = presetNamed(name);
  // Only the comparison of mechanisms reads them, and reading loads TensorFlow.
  const trials = tables.includes("mechanisms") ? await rateTrials(name) : [];
  return plannedCells(preset, { tables, seeds, trials });
}

async function rateTrials(name: string) {
  const { readRateTrials } = await import("../experiments/mechanisms/rate-trials.js");
  const { rateTrialsPath } = await import("../runs/run-store.js");
  return readRateTrials(rateTrialsPath(presetNamed(name))) ?? [];
}

/** Looks in every table that has cells now. */
async function findCell(id: string, selection: Selection): Promise<PlannedCell> {
  const { preset, data } = selection;
  const seed = Number(/-seed([1-9]\d{0,8})$/.exec(id)?.[1] ?? 0);
  const cells = await cellsOf(selection, await tablesWithCells(preset), 1);
  // The paper has one seed; of a preset there may be any number.
  const listed = preset === paperPreset ? id : id.replace(/-seed\d+$/, "-seed1");
  const found = cells.find((cell) => cell.id === listed);
  if (found !== undefined && seed !== 0) return { ...found, id, seed };
  const list = `moco cells list --preset ${preset}${data === undefined ? "" : ` --data ${data}`}`;
  throw new InputError(
    `Cannot find the cell "${id}" in the tables of preset ${preset}. ` +
      (preset === paperPreset ? "Names go by --data: give it as it was listed. " : "") +
      `Their names: ${list}`,
  );
}

/** Every table that has cells now. */
async function tablesWithCells(preset: string): Promise<readonly Ablation["id"][]> {
  if (preset === paperPreset) return paperAblationNames;
  const trials = await rateTrials(preset);
  return ablationNames.filter((table) => table !== "mechanisms" || trials.length > 0);
}

function cellJson({ id, seed, rows, recipe }: PlannedCell): unknown {
  return { id, seed, rows, recipe: recipe.name };
}
