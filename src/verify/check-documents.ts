import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../errors";
import { drawFigure } from "../display/chart";
import { besideEachOther } from "../display/svg-chart";
import { engineFigure } from "../experiments/pytorch-parity/two-engines-rows";
import { replaceFile } from "../files/replace-file";
import { recordedEngines, type TransferOf } from "../report/recorded-report";
import { blockContents, blocksOf, fillBlocks, isSlow } from "../report/result-blocks";
import { fault, type Finding } from "./finding";
import { notebookProse } from "./check-notebooks";
import { acceptStatedNumbers, checkStatedNumbers, readStatedNumbers, statedNumbersFile } from "./stated-numbers";

/** Documents whose numbers are checked, below the project's folder. */
export const documents = ["README.md", "REPRODUCE.md"] as const;

/** The figure of the documents that is drawn from results. */
const engineChart = join("docs", "two-engines.svg");

export interface DocumentOptions {
  readonly project: string;
  /** Which computed parts are looked at. @default all */
  readonly wanted?: (name: string) => boolean;
  /** Computes a transfer, where the caller shares what it computed. */
  readonly transferOf?: TransferOf;
}

/** Writes the computed parts of the documents, and their figure, anew from the recorded results. */
export async function writeDocuments(project: string): Promise<void> {
  const root = join(project, "results");
  for (const [name, text] of textsOf(project)) {
    const names = blocksOf(text).map((block) => block.name);
    replaceFile(join(project, name), fillBlocks(text, await blockContents(names, root)));
  }
  replaceFile(join(project, engineChart), drawEngines(root));
}

/** Computes each table, number and figure of the documents anew, and names those that are not what is computed. */
export async function checkDocuments({
  project,
  wanted = () => true,
  transferOf,
}: DocumentOptions): Promise<Finding[]> {
  const root = join(project, "results");
  const findings: Finding[] = [];
  const stated = readStatedNumbers(join(project, statedNumbersFile));
  for (const [name, text] of textsOf(project)) {
    const blocks = blocksOf(text).filter((block) => wanted(block.name));
    try {
      const contents = await blockContents(
        blocks.map((block) => block.name),
        root,
        transferOf,
      );
      for (const { name: of, content, line } of blocks) {
        findings.push(...differing(`${name}, results "${of}"`, line, content.trim(), contents.get(of)!.trim()));
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      findings.push(fault(name, error.message));
    }
  }
  for (const [name, text] of proseTexts(project)) findings.push(...checkStatedNumbers(name, text, stated));
  return [...findings, ...checkEngineChart(project)];
}

/** Compares the drawing of the two engines with the one that the recorded runs give. */
function checkEngineChart(project: string): Finding[] {
  const path = join(project, engineChart);
  if (existsSync(path) && readFileSync(path, "utf8") === drawEngines(join(project, "results"))) return [];
  return [fault(engineChart, "it is not what the recorded runs give: run moco report --write")];
}

/** Writes down the numbers of the documents that are not computed. */
export function acceptDocuments(project: string): void {
  const path = join(project, statedNumbersFile);
  acceptStatedNumbers(path, proseTexts(project), unchecked(path));
}

/** The parts of the documents that are computed quickly. */
export function isQuick(name: string): boolean {
  return !isSlow(name);
}

function unchecked(path: string): ReturnType<typeof readStatedNumbers> {
  if (!existsSync(path)) return {};
  // Edited by hand, the sources, so its checksum is not asked for.
  const { sha256: _, ...stated } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  return stated as ReturnType<typeof readStatedNumbers>;
}

function textsOf(project: string): ReadonlyMap<string, string> {
  return new Map(documents.map((name) => [name, readFileSync(join(project, name), "utf8")]));
}

/** All that has prose: documents, and the notebooks' sources. */
function proseTexts(project: string): ReadonlyMap<string, string> {
  return new Map([...textsOf(project), ...notebookProse(project)]);
}

function drawEngines(root: string): string {
  const comparison = recordedEngines(root);
  const drawn = (["loss", "knn"] as const).map((measure) => drawFigure(engineFigure(comparison, measure)));
  return `${besideEachOther(drawn, 1).svg}\n`;
}

/** The first line that differs. */
function differing(where: string, line: number, written: string, computed: string): Finding[] {
  const [are, should] = [written.split("\n"), computed.split("\n")];
  const at = should.findIndex((text, index) => text !== are[index]);
  if (at < 0 && are.length === should.length) return [];
  const index = at < 0 ? should.length : at;
  const change = firstChange(are[index] ?? "", should[index] ?? "");
  return [fault(`${where}, line ${line + 1 + index}`, `${change}: run moco report --write`)];
}

/** The words around the first character that differs. */
function firstChange(is: string, should: string): string {
  const words = (text: string) => text.split(/\s+/);
  const [are, wanted] = [words(is), words(should)];
  const at = wanted.findIndex((word, index) => word !== are[index]);
  const index = at < 0 ? wanted.length : at;
  const around = (list: readonly string[]) => list.slice(Math.max(0, index - 1), index + 2).join(" ") || "nothing";
  return `"${around(are)}" is written where the recorded runs give "${around(wanted)}"`;
}
