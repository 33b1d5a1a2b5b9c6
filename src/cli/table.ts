import { Argument, Command, Option } from "commander";
import { InputError } from "../engine/errors";
import { resultTable } from "../report/terminal";
import type { Ablation } from "../tables/ablation";
import { momentumAblation } from "../tables/momentum";
import { presetNamed, presetNames, type Preset } from "../tables/presets";
import { queueSizeAblation } from "../tables/queue-size";
import type { AblationResult } from "../tables/result";

interface TableFlags {
  readonly preset: string;
  readonly recorded?: boolean;
  readonly json?: boolean;
}

/** The ablations that the kit runs, by their names on the command line. */
export const ablations: Readonly<Record<Ablation["id"], (preset: Preset) => Ablation>> = {
  "queue-size": queueSizeAblation,
  momentum: momentumAblation,
};

/** `moco table`: prints the runs that are there beside what the paper published. Trains nothing. */
export function tableCommand(): Command {
  return new Command("table")
    .description("print an ablation from the runs that are there; nothing is trained")
    .addArgument(new Argument("<ablation>", "which one").choices(Object.keys(ablations)))
    .addOption(new Option("--preset <name>", "size of the runs").choices(presetNames).default("quick"))
    .option("--recorded", "the runs recorded in results, instead of your own in runs")
    .option("--json", "print JSON")
    .action(async (id: Ablation["id"], { preset: name, recorded, json }: TableFlags) => {
      const { ownRuns, recordedRuns, storedAblation } = await import("../reproduce/stored-result.js");
      const preset = presetNamed(name);
      const result = storedAblation(ablations[id](preset), preset, recorded ? recordedRuns(preset) : ownRuns());
      if (result === undefined) {
        throw new InputError(
          recorded
            ? `Cannot print the table: no runs of preset ${name} are recorded. Leave out --recorded, or choose another preset`
            : `Cannot print the table: there are no runs of preset ${name} yet. Run: moco reproduce --preset ${name}`,
        );
      }
      console.log(json ? JSON.stringify(tableJson(result), null, 2) : resultTable(result));
    });
}

/** An ablation with its numbers as a script wants it: without the curves and the single pictures of each run. */
export function tableJson({ ablation, rows, publishedOnly, baselines }: AblationResult): unknown {
  return {
    ablation: ablation.id,
    title: ablation.title,
    paper: ablation.paper,
    reference: ablation.referenceLabel,
    rows: rows.map(({ runs, ...row }) => ({ ...row, manifests: runs.map(({ manifest }) => manifest) })),
    publishedOnly,
    baselines,
  };
}
