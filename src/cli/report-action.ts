import { join, resolve } from "node:path";
import { replaceFile } from "../files/replace-file";
import { presetNamed, type Preset } from "../recipes/presets";
import { writeReportPage } from "../report/page";
import { recordedPage } from "../report/recorded-page";
import { recordedPresets } from "../report/recorded-judgements";
import { recordedReport, tablesOf } from "../report/recorded-report";
import { csvTable, latexTable, markdownTable } from "../report/report-table";
import { writeDocuments } from "../verify/check-documents";
import { runsFolder } from "../runs/run-name";
import { projectRoot } from "./project";
import type { ReportFlags } from "./report";

/** What `moco report` does. A module of its own, since it loads TensorFlow. */
export async function reportAction({ preset: name, write, output }: ReportFlags): Promise<void> {
  if (write) {
    await writeDocuments(projectRoot);
    console.log("Wrote the computed tables of README.md and REPRODUCE.md.");
    return;
  }
  const presets = name === undefined ? recordedPresets() : [presetNamed(name)];
  const folder = resolve(output ?? join(runsFolder, name === undefined ? "report" : `report-${name}`));
  await writeReport(folder, presets);
  console.log(`The report: ${join(folder, "index.html")}. Its tables beside it: tables.md, tables.tex, csv.`);
}

async function writeReport(folder: string, presets: readonly Preset[]): Promise<void> {
  const recorded = await recordedReport(presets);
  writeReportPage(join(folder, "index.html"), recordedPage(recorded));
  const tables = tablesOf(recorded);
  const titled = tables.map((table) =>
    [`## ${table.title}`, `${table.paper}.`, markdownTable(table), ...table.notes].join("\n\n"),
  );
  replaceFile(join(folder, "tables.md"), `# MoCo, reproduced\n\n${titled.join("\n\n")}\n`);
  const preamble = "% Tables for \\input; they need \\usepackage{booktabs}.\n";
  replaceFile(join(folder, "tables.tex"), `${preamble}${tables.map(latexTable).join("\n\n")}\n`);
  for (const table of tables) replaceFile(join(folder, "csv", `${table.id}.csv`), csvTable(table));
}
