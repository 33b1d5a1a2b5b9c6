import { join } from "node:path";
import { Command, Option } from "commander";
import { writeReportPage } from "../report/page";
import { resultTable } from "../report/terminal";
import { presetNamed, presetNames, type Preset } from "../tables/presets";
import { executedNotebookPath, findNotebook, runNotebook } from "./notebook";
import { integerFrom } from "./numbers";
import { projectRoot } from "./project";
import { ablations, tableJson } from "./table";

interface ReproduceFlags {
  readonly preset: string;
  readonly seeds: number;
  readonly fresh?: boolean;
  readonly record?: boolean;
  readonly json?: boolean;
}

/** Notebooks of the main job, in the order in which they run; the second finds cells that the first has trained. */
const notebooks = ["03", "04"] as const;

/** `moco reproduce`: the main job. Trains both ablations through their notebooks, prints the tables and writes the page. */
export function reproduceCommand(): Command {
  return new Command("reproduce")
    .description("train both ablations through notebooks 03 and 04, print the tables and write a report page")
    .addOption(new Option("--preset <name>", "size of the runs").choices(presetNames).default("quick"))
    .option("--seeds <count>", "seeds for each cell; a verdict needs 3", integerFrom(1), 1)
    .option("--fresh", "train again what was trained before")
    .option("--record", "copy the finished runs to results, for the repository")
    .option("--json", "print the tables as JSON; everything else goes to stderr")
    .action(async (flags: ReproduceFlags) => {
      process.exitCode = await reproduce(flags);
    });
}

/** @returns the exit code */
async function reproduce({ preset: name, seeds, fresh, record, json }: ReproduceFlags): Promise<number> {
  const say = (line: string): void => (json ? console.error(line) : console.log(line));
  const preset = presetNamed(name);
  const both = Object.values(ablations).map((ablation) => ablation(preset));
  const recipes = new Map(both.flatMap(({ cells }) => cells).map(({ recipe }) => [recipe.name, recipe]));
  if (fresh) {
    const { forgetRun } = await import("../reproduce/run-cell.js");
    for (const recipe of recipes.values()) for (let seed = 1; seed <= seeds; seed++) forgetRun(recipe, seed);
  }
  say(describeJob(preset, recipes.size, seeds));

  for (const number of notebooks) {
    const path = findNotebook(number);
    const output = executedNotebookPath(path, preset.name);
    const code = await runNotebook({
      path,
      parameters: { preset: preset.name, seeds },
      output,
      ...(json && { onLine: say }),
    });
    if (code !== 0) {
      // Without --fresh, which would forget what is trained.
      const again = `moco reproduce --preset ${preset.name} --seeds ${seeds}${record ? " --record" : ""}`;
      console.error(`Notebook ${number} did not finish (exit code ${code}). To go on from where it stopped: ${again}`);
      return code;
    }
  }

  const { ownRuns, recordRuns, storedAblation } = await import("../reproduce/stored-result.js");
  const results = both.flatMap((ablation) => storedAblation(ablation, preset, ownRuns(), seeds) ?? []);
  const page = join(projectRoot, "runs", `report-${preset.name}.html`);
  writeReportPage(page, results, preset);
  if (json) console.log(JSON.stringify({ preset: preset.name, page, tables: results.map(tableJson) }, null, 2));
  else console.log(results.map((result) => `\n${resultTable(result)}`).join("\n"));
  say(`\nThe report, with charts: ${page}`);
  if (record) say(`Recorded ${recordRuns(preset, both, seeds)} files in results/${preset.name}.`);
  return 0;
}

function describeJob({ name, minutes, randomNetworks }: Preset, cells: number, seeds: number): string {
  return (
    `Preset ${name}: ${cells} trainings with ${seeds === 1 ? "one seed" : `${seeds} seeds`} each, evaluated beside ` +
    `${randomNetworks} random networks and the pixels.\nAbout ${minutes * seeds} minutes on two cores, less what is ` +
    "trained already. Stop with Ctrl-C at any time: the same command goes on."
  );
}
