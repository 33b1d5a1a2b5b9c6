import { Argument, Command } from "commander";
import { InputError } from "../errors";
import { ablations } from "../report/ablations";
import { engineTable, resultTable } from "../report/terminal";
import { readTwoEngines } from "../experiments/pytorch-parity/read-two-engines";
import type { Ablation } from "../experiments/ablation/ablation";
import { paperAblation, paperAblationNamed, paperPreset } from "../experiments/paper-scale/paper-ablation";
import { presetNamed } from "../recipes/presets";
import { compareEngines } from "../experiments/pytorch-parity/two-engines";
import type { AblationResult } from "../experiments/ablation/ablation-result";
import { assertPaperData, paperDataOption, presetOption } from "./paper-flags";

interface TableFlags {
  readonly preset: string;
  readonly data?: string;
  readonly recorded?: boolean;
  readonly json?: boolean;
}

/** The comparison with PyTorch: always as recorded, it has no preset. */
const twoEngines = "two-engines";

/** `moco table`: prints the runs that are there beside what the paper published. Trains nothing. */
export function tableCommand(): Command {
  return new Command("table")
    .description("print a table from the runs that are there; nothing is trained")
    .addArgument(new Argument("<ablation>", "which one").choices([...Object.keys(ablations), twoEngines]))
    .addOption(presetOption())
    .addOption(paperDataOption())
    .option("--recorded", "the runs recorded in results, instead of your own in runs")
    .option("--json", "print JSON")
    .action(async (id: Ablation["id"] | typeof twoEngines, flags: TableFlags) => {
      const { preset: name, recorded, json } = flags;
      if (id === twoEngines) {
        const comparison = compareEngines(readTwoEngines());
        console.log(json ? JSON.stringify(comparison, null, 2) : engineTable(comparison));
        return;
      }
      assertPaperData(flags);
      if (name === paperPreset) return printPaperTable(id, flags);
      const { readRateTrials } = await import("../experiments/mechanisms/rate-trials.js");
      const { ownRuns, recordedRuns } = await import("../runs/run-store.js");
      const { storedAblation } = await import("../experiments/ablation/stored-ablation.js");
      const preset = presetNamed(name);
      const store = recorded ? recordedRuns(preset) : ownRuns();
      const ablation = ablations[id](preset, readRateTrials(store.rateTrials(preset)) ?? []);
      const result = ablation && storedAblation(ablation, preset, store);
      if (result === undefined) {
        throw new InputError(
          recorded
            ? `Cannot print the table: no runs of preset ${name} are recorded. Leave out --recorded, or choose another preset`
            : `Cannot print the table: there are no runs of it with preset ${name} yet. Run: moco reproduce --all --preset ${name}`,
        );
      }
      console.log(json ? JSON.stringify(tableJson(result), null, 2) : resultTable(result));
    });
}

/** Prints the paper's own rows, with what was trained of them. */
async function printPaperTable(
  id: Ablation["id"],
  { data, recorded, json }: Omit<TableFlags, "preset">,
): Promise<void> {
  if (recorded) throw new InputError(`Cannot use --recorded with --preset ${paperPreset}: nothing of it is recorded`);
  const ablation = paperAblation(paperAblationNamed(id), data);
  const { paperResult } = await import("../experiments/paper-scale/paper-result.js");
  const result = paperResult(ablation);
  console.log(json ? JSON.stringify(tableJson(result), null, 2) : resultTable(result));
}

/** An ablation with its numbers as a script wants it: without the curves and the single images of each run. */
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
