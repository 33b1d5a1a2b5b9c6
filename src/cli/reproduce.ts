import { rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Command, Option } from "commander";
import { writeReportPage, type TransferOnPage } from "../report/page";
import { resultTable } from "../report/terminal";
import type { Ablation } from "../experiments/ablation/ablation";
import { mechanisms, rateTrialRecipe } from "../experiments/mechanisms/mechanisms";
import { presetNamed, presetNames, type Preset } from "../recipes/presets";
import type { Transfer } from "../experiments/transfer/transfer";
import { anewParameter, executedNotebookPath, findNotebook, runNotebook } from "./notebook";
import { integerFrom } from "./numbers";
import { ablations } from "../report/ablations";
import { detectorNamesOf, namesIn, resultsFolder, runsFolder } from "../runs/run-name";
import { tableJson } from "./table";

interface ReproduceFlags {
  readonly all?: boolean;
  readonly preset: string;
  readonly seeds: number;
  readonly fresh?: boolean;
  readonly record?: boolean;
  readonly json?: boolean;
}

/** A notebook that `moco reproduce` runs. */
interface Job {
  readonly notebook: string;
  /** The tables of `moco table` that it fills. */
  readonly tables: readonly Ablation["id"][];
  /** Whether it takes a number of seeds; the studies rest on one. */
  readonly seeds: boolean;
}

/** In the order in which they run: later ones find cells that earlier ones have trained. */
const mainJob: readonly Job[] = [
  { notebook: "03", tables: ["queue-size"], seeds: true },
  { notebook: "04", tables: ["momentum"], seeds: true },
];
/** What `--all` runs besides. */
const otherJobs: readonly Job[] = [
  { notebook: "01", tables: ["mechanisms"], seeds: true },
  { notebook: "02", tables: ["linear-evaluation", "encoders", "training-length"], seeds: true },
  { notebook: "05", tables: [], seeds: false },
  { notebook: "06", tables: [], seeds: true },
  { notebook: "07", tables: [], seeds: true },
];

/** `moco reproduce`: the main job. Trains both ablations through their notebooks, prints the tables and writes the page. */
export function reproduceCommand(): Command {
  return new Command("reproduce")
    .description("train both ablations through notebooks 03 and 04, print the tables and write a report page")
    .option("--all", "every notebook, not only the two of the main job")
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
async function reproduce({ all, preset: name, seeds, fresh, record, json }: ReproduceFlags): Promise<number> {
  const say = (line: string): void => (json ? console.error(line) : console.log(line));
  const { readRateTrials } = await import("../experiments/mechanisms/rate-trials.js");
  const { rateTrialsPath } = await import("../runs/run-store.js");
  const preset = presetNamed(name);
  const jobs = all ? [...mainJob, ...otherJobs] : mainJob;
  // The comparison of mechanisms can only be laid out when rates have been tried.
  const tables = () => {
    const trials = readRateTrials(rateTrialsPath(preset)) ?? [];
    return jobs.flatMap((job) => job.tables).flatMap((table) => ablations[table](preset, trials) ?? []);
  };
  if (fresh) {
    const { forgetRun } = await import("../runs/run-cell.js");
    for (const { recipe } of tables().flatMap(({ cells }) => cells)) {
      for (let seed = 1; seed <= seeds; seed++) forgetRun(recipe, seed);
    }
    if (all) {
      await forgetTrialsAndStudies(preset);
      await forgetTransfers(preset, seeds);
    }
  }
  say(
    describeJob(
      preset,
      jobs.map(({ notebook }) => notebook),
      seeds,
    ),
  );

  for (const { notebook: number, seeds: takesSeeds } of jobs) {
    const path = findNotebook(number);
    const output = executedNotebookPath(path, preset.name);
    const code = await runNotebook({
      path,
      parameters: { preset: preset.name, [anewParameter]: true, ...(takesSeeds && { seeds }) },
      output,
      ...(json && { onLine: say }),
    });
    if (code !== 0) {
      // Without --fresh, which would forget what is trained.
      const again = `moco reproduce${all ? " --all" : ""} --preset ${preset.name} --seeds ${seeds}${record ? " --record" : ""}`;
      console.error(`Notebook ${number} did not finish (exit code ${code}). To go on from where it stopped: ${again}`);
      return code;
    }
  }

  const { ownRuns, recordedRuns } = await import("../runs/run-store.js");
  const { recordRuns, storedAblation } = await import("../experiments/ablation/stored-ablation.js");
  const results = tables().flatMap((ablation) => storedAblation(ablation, preset, ownRuns(), seeds) ?? []);
  const page = join(runsFolder, `report-${preset.name}.html`);
  const transfers = all ? await transfersOnPage(preset, seeds) : [];
  writeReportPage(page, { presets: [{ preset, ablations: results, transfers }] });
  if (json) console.log(JSON.stringify({ preset: preset.name, page, tables: results.map(tableJson) }, null, 2));
  else console.log(results.map((result) => `\n${resultTable(result)}`).join("\n"));
  say(`\nThe report, with charts: ${page}`);
  if (record) {
    const studies = all ? await filesOfStudies(preset) : new Map<string, string>();
    const count = recordRuns(preset, tables(), seeds, ownRuns(), recordedRuns(preset), studies);
    say(`Recorded ${count} files in results/${preset.name}.`);
    if (all) {
      const { recordedTestSet, recordTransfer } = await import("../experiments/transfer/stored-transfer.js");
      for (const transfer of await transfersOf(preset)) {
        const detectors = recordTransfer(transfer, await recordedTestSet(transfer), seeds);
        say(`Recorded ${detectors} detectors in results/${transfer.name}.`);
      }
    }
  }
  return 0;
}

/** Deletes what belongs to no table: the trials of rates, and the trainings of the studies. */
async function forgetTrialsAndStudies(preset: Preset): Promise<void> {
  const { forgetRun, runRecordFile } = await import("../runs/run-cell.js");
  const { rateTrialsPath } = await import("../runs/run-store.js");
  rmSync(rateTrialsPath(preset), { force: true });
  for (const mechanism of mechanisms) {
    for (const rate of preset.mechanisms.rates) forgetRun(rateTrialRecipe(preset, mechanism, rate), 1);
  }
  for (const from of (await filesOfStudies(preset)).keys()) {
    // A run is a folder, with the checkpoint that it would go on from.
    rmSync(basename(from) === runRecordFile ? dirname(from) : from, { recursive: true, force: true });
  }
}

/** Files of the studies, which rest on seed 1, with where they go among the recorded results. */
async function filesOfStudies(preset: Preset): Promise<ReadonlyMap<string, string>> {
  const { loadData, parseDataName } = await import("../data/load.js");
  const { studyFiles, studyPlan } = await import("../experiments/studies/plan.js");
  const { checksum } = await loadData(parseDataName(preset.base.dataset), { size: preset.base.imageSize });
  return studyFiles(studyPlan(preset), 1, checksum, join(resultsFolder, preset.name));
}

/** The transfers of notebooks 06 and 07. */
async function transfersOf(preset: Preset): Promise<readonly Transfer[]> {
  const { fpnTransferName, transferNamed } = await import("../experiments/transfer/transfer.js");
  const withMasks = fpnTransferName(preset.name);
  return [preset.name, ...(withMasks ? [withMasks] : [])].map(transferNamed);
}

/** Deletes their detectors. */
async function forgetTransfers(preset: Preset, seeds: number): Promise<void> {
  const { forgetFolder } = await import("../runs/run-cell.js");
  for (const { detection } of (await transfersOf(preset)).flatMap(({ rows }) => rows)) {
    for (let seed = 1; seed <= seeds; seed++) {
      for (const name of detectorNamesOf(namesIn(runsFolder), detection, seed)) forgetFolder(join(runsFolder, name));
    }
  }
}

/** Each transfer as the page shows it: its tables, and what the MoCo row found in four test scenes. */
async function transfersOnPage(preset: Preset, seeds: number): Promise<TransferOnPage[]> {
  const { detectionsSvg } = await import("../display/detections.js");
  const { measuredEncoders } = await import("../experiments/transfer/measured-encoders.js");
  const { ownRuns } = await import("../runs/run-store.js");
  const { ownTransferRuns, recordedTestSet, storedDetections, storedTransfer } =
    await import("../experiments/transfer/stored-transfer.js");
  const { mocoLabel } = await import("../experiments/transfer/transfer.js");
  const shown: TransferOnPage[] = [];
  for (const transfer of await transfersOf(preset)) {
    const test = await recordedTestSet(transfer);
    const found = storedDetections(transfer, { row: mocoLabel, seed: 1, test, store: ownTransferRuns() });
    shown.push({
      result: storedTransfer(transfer, test, ownTransferRuns(), seeds),
      drawing: await detectionsSvg(test, found),
      encoders: measuredEncoders(transfer, ownTransferRuns(), ownRuns()),
    });
  }
  return shown;
}

function describeJob(preset: Preset, notebooks: readonly string[], seeds: number): string {
  const minutes = notebooks.length > mainJob.length ? preset.allMinutes : preset.minutes;
  return (
    `Preset ${preset.name}: notebooks ${notebooks.join(", ")} with ${seeds === 1 ? "one seed" : `${seeds} seeds`} for each training.\n` +
    `About ${minutes * seeds} minutes on two cores, less what is trained already. Stop with Ctrl-C at any time: ` +
    "the same command goes on."
  );
}
