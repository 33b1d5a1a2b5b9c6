import { Command, Option } from "commander";
import { textTable } from "../display/table";
import { InputError } from "../errors";
import type { Ablation } from "../experiments/ablation/ablation";
import { presetNamed, presetNames } from "../recipes/presets";
import { ablationNames } from "../report/ablations";
import { mainTables, plannedCells, type PlannedCell } from "../report/planned-cells";
import { integerFrom, positiveNumber } from "./numbers";

interface ListFlags {
  readonly preset: string;
  readonly tables?: readonly Ablation["id"][];
  readonly seeds: number;
  readonly json?: boolean;
}

/** The flags of `moco cells run`. */
export interface RunFlags {
  readonly preset: string;
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
    .addOption(
      new Option("--tables <names...>", `tables whose cells are listed (default: ${mainTables.join(" ")})`).choices(
        ablationNames,
      ),
    )
    .option("--seeds <count>", "seeds for each cell", integerFrom(1), 1)
    .option("--json", "print JSON")
    .action(async ({ preset: name, tables = mainTables, seeds, json }: ListFlags) => {
      const preset = presetNamed(name);
      const cells = await cellsOf(name, tables, seeds);
      const { dataset, imageSize } = preset.base;
      if (json)
        console.log(
          JSON.stringify({ preset: name, seeds, dataset, imageSize, tables, cells: cells.map(cellJson) }, null, 2),
        );
      else {
        const rowsOf = ({ rows }: PlannedCell) => rows.map(({ table, label }) => `${table}: ${label}`).join("; ");
        console.log(textTable(cells.map((cell) => ({ cell: cell.id, rows: rowsOf(cell) }))));
      }
    });

  command
    .command("run")
    .description("train and evaluate one cell with one seed, or go on with it; what is finished is looked up")
    .argument("<cell>", "as moco cells list names it")
    .addOption(presetOption())
    .option("--pretrain-only", "leave the evaluation to a later call")
    .option("--checkpoint-seconds <seconds>", "time between checkpoints", positiveNumber, 30)
    .action(async (id: string, flags: RunFlags) => {
      const cell = await findCell(id, flags.preset);
      const { runCellAction } = await import("./cells-action.js");
      await runCellAction(cell, flags);
    });

  command
    .command("baselines")
    .description("evaluate what stands beside the cells: random networks and the pixels")
    .addOption(presetOption())
    .action(async ({ preset }: { readonly preset: string }) => {
      const { baselinesAction } = await import("./cells-action.js");
      await baselinesAction(presetNamed(preset));
    });
  return command;
}

function presetOption(): Option {
  return new Option("--preset <name>", "size of the runs").choices(presetNames).default("quick");
}

async function cellsOf(
  name: string,
  tables: readonly Ablation["id"][],
  seeds: number,
): Promise<readonly PlannedCell[]> {
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
async function findCell(id: string, preset: string): Promise<PlannedCell> {
  const seed = Number(/-seed([1-9]\d{0,8})$/.exec(id)?.[1] ?? 0);
  const trials = await rateTrials(preset);
  const tables = ablationNames.filter((table) => table !== "mechanisms" || trials.length > 0);
  const wanted = id.replace(/-seed\d+$/, "-seed1");
  const found = plannedCells(presetNamed(preset), { tables, seeds: 1, trials }).find((cell) => cell.id === wanted);
  if (found === undefined || seed === 0) {
    throw new InputError(
      `Cannot find the cell "${id}" in the tables of preset ${preset}. Their names: moco cells list --preset ${preset}`,
    );
  }
  return { ...found, id, seed };
}

function cellJson({ id, seed, rows, recipe }: PlannedCell): unknown {
  return { id, seed, rows, recipe: recipe.name };
}
