import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { presetNamed } from "../recipes/presets";
import { citation, resultsHash, type CitationFormat, type CitedTable } from "../report/citation";
import { recordedTable } from "../report/recorded-report";
import { writeRunCrate } from "../report/run-crate";
import { resultsFolder, runsFolder } from "../runs/run-name";
import type { CiteFlags } from "./cite";
import { projectRoot } from "./project";

/** What `moco cite` does. A module of its own, since it loads TensorFlow. */
export async function citeAction(name: string, format: CitationFormat, flags: CiteFlags): Promise<void> {
  console.log(citation(await citedTable(name, flags), format));
}

/** What `moco crate` does. */
export async function crateAction(name: string, output: string | undefined, flags: CiteFlags): Promise<void> {
  const cited = await citedTable(name, flags);
  const folder = resolve(output ?? join(runsFolder, `crate-${cited.table.id}`));
  writeRunCrate(folder, cited, resultsFolder);
  console.log(`The crate: ${folder}`);
}

async function citedTable(name: string, { preset: presetName }: CiteFlags): Promise<CitedTable> {
  const preset = presetNamed(presetName);
  const table = await recordedTable(name, preset);
  const { version } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as { version: string };
  return { table, preset: preset.name, version, commit: commitNow(), hash: resultsHash(table, resultsFolder) };
}

function commitNow(): string | undefined {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], {
      cwd: projectRoot,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined; // unpacked from an archive, or no git on the machine
  }
}
