import { percentValue } from "../display/percent";
import { signedInterval } from "../display/signed";
import { join } from "node:path";
import type { AblationResult } from "../experiments/ablation/ablation-result";
import { metricNames } from "../experiments/ablation/ablation-result";
import { metricTitles } from "../experiments/ablation/ablation-rows";
import { measureTitles, type DetectionMeasure } from "../detection/metric/detection-metrics";
import { publishedDirection, type TransferResult } from "../experiments/transfer/transfer-result";
import { transferNames } from "../experiments/transfer/transfer";
import { InputError } from "../errors";
import { presetNamed, type Preset } from "../recipes/presets";
import { differenceToPyTorch, firstStepsFolder, readFirstSteps } from "../runs/first-steps";
import { readDetectorRun } from "../runs/run-detector";
import { namesIn, resultsFolder } from "../runs/run-name";
import { ablationNames } from "./ablations";
import { recordedJudgements } from "./recorded-judgements";
import { recordedAblation, recordedEngines, transfersIn, type TransferOf } from "./recorded-report";
import { columnsOf, markdownTable, withColumns, type ReportTable } from "./report-table";
import { ablationTables, engineTables, transferTables } from "./result-tables";
import type { TextRow } from "../display/table";
import { claimsTable } from "./verdict-section";

/** Marks a part of a document that is computed from results: what is between the two lines is written by a command. */
const block = /^<!-- results: (.+?) -->\n([\s\S]*?)^<!-- end of results -->$/gm;

/** A part of a document that is computed. */
export interface ResultBlock {
  readonly name: string;
  /** What stands there. */
  readonly content: string;
  /** Line of its content, from 1. */
  readonly line: number;
}

/** The computed parts of a document. */
export function blocksOf(text: string): readonly ResultBlock[] {
  return [...text.matchAll(block)].map(({ 1: name, 2: content, index }) => ({
    name: name!,
    content: content!,
    line: text.slice(0, index).split("\n").length + 1,
  }));
}

/** A document without its computed parts; lines keep their numbers. */
export function withoutBlocks(text: string): string {
  return text.replace(block, (whole) => whole.replace(/[^\n]/g, ""));
}

/** Puts what is computed into a document. */
export function fillBlocks(text: string, contents: ReadonlyMap<string, string>): string {
  return text.replace(
    block,
    (_, name: string) => `<!-- results: ${name} -->\n\n${contents.get(name)!}\n\n<!-- end of results -->`,
  );
}

/** The preset whose runs a block shows where its name says no other: "momentum, preset small". */
const usualPreset = "quick";

/** Blocks that take a transfer's bootstrap: seconds to minutes. */
export function isSlow(name: string): boolean {
  return name.startsWith("transfer-");
}

/**
 * What belongs into blocks of these names, by the recorded results: Markdown.
 *
 * @param transferOf - computes a transfer, where the caller shares what it computed
 * @throws InputError if there is no block of a name
 */
export async function blockContents(
  names: readonly string[],
  root = resultsFolder,
  transferOf = transfersIn(root),
): Promise<ReadonlyMap<string, string>> {
  const contents = new Map<string, string>();
  for (const block of new Set(names)) {
    const [name, preset = usualPreset] = block.split(", preset ");
    contents.set(block, await contentOf(name!, presetNamed(preset), { root, transferOf }));
  }
  return contents;
}

async function contentOf(
  name: string,
  preset: Preset,
  { root, transferOf }: { readonly root: string; readonly transferOf: TransferOf },
): Promise<string> {
  const id = ablationNames.find((one) => one === name);
  if (id !== undefined) {
    const result = recordedAblation(id, preset, root);
    return result === undefined
      ? "Nothing of this is recorded yet with the preset of now."
      : ablationBlock(result, preset);
  }
  const transfer = transferNames.find((one) => `transfer-${one}` === name);
  if (transfer !== undefined) return transferBlock(await transferOf(transfer));
  switch (name) {
    case "two-engines":
      return markdownTable(withoutOfficial(engineTables(recordedEngines(root))[0]!));
    case "claims":
      return claimsBlock(claimsTable(recordedJudgements(undefined, root)));
    case "first-steps":
      return firstStepsBlock(root);
    case "detector-rates":
      return ratesBlock(join(root, preset.name), "detector-rate");
    case "detector-fpn-rates":
      return ratesBlock(join(root, preset.name), "detector-fpn-rate");
    default:
      throw new InputError(
        `Cannot compute the results "${name}" of a document: there are no recorded runs of that name`,
      );
  }
}

/** The first steps of recipes at their own size: losses, PyTorch's beside where it took them, time and memory. */
function firstStepsBlock(root: string): string {
  const folder = join(root, firstStepsFolder);
  const recorded = namesIn(folder, ".json").flatMap((name) => readFirstSteps(join(folder, `${name}.json`)) ?? []);
  const rows = recorded.map((steps) => {
    const { recipe, losses, pytorch } = steps;
    const shown = (list: typeof losses) => list.map(({ loss }) => loss.toFixed(4)).join(", ");
    const [seconds, gigabytes] = [
      [steps, pytorch].flatMap((side) => (side ? [side.seconds.toFixed(0)] : [])),
      [steps, pytorch].flatMap((side) => (side ? [(side.peakBytes / 1e9).toFixed(2)] : [])),
    ];
    return {
      cells: {
        recipe: recipe.name,
        "loss of each step": shown(losses),
        "PyTorch's": pytorch ? shown(pytorch.losses) : "–",
        "largest relative difference": differenceToPyTorch(steps)?.toExponential(1) ?? "–",
        "seconds: kit, PyTorch": seconds.join(", "),
        "GB at the peak: kit, PyTorch": gigabytes.join(", "),
      },
      runs: [`${firstStepsFolder}/${recipe.name}.json`],
    };
  });
  return markdownTable({ id: "first-steps", title: "First steps", paper: "", rows, printed: {}, notes: [] });
}

function ablationBlock(result: AblationResult, preset: Preset): string {
  const [accuracy] = ablationTables(result, preset.name);
  const trained = { ...accuracy!, rows: accuracy!.rows.filter(({ runs }) => runs.length > 0) };
  const columns = columnsOf(trained).filter((column) => column !== "loss, last fifth");
  return `${markdownTable(withColumns(trained, columns))}\n\n${separated(result)}`;
}

/** What differs from the reference beyond chance, by which measure, and what that says of the paper. */
function separated({ ablation, rows }: AblationResult): string {
  const compared = rows.flatMap(({ label, agreement }) =>
    metricNames.flatMap((metric) => {
      const found = agreement[metric];
      return found === undefined ? [] : [{ label, metric, ...found }];
    }),
  );
  if (compared.length === 0) return `Nothing stands beside ${ablation.referenceLabel} yet.`;
  const apart = compared.filter(({ low, high }) => low > 0 || high < 0);
  const kind = compared[0]!.kind === "seeds" ? "over seeds" : "over test images, with too few seeds for a verdict";
  const list = apart.map(
    ({ label, metric, difference, low, high, verdict }) =>
      `${label} by ${metricTitles[metric]} (${signedInterval(difference, { low, high }, { scale: 100 })} points: ${verdict})`,
  );
  return (
    `Against ${ablation.referenceLabel}, separated ${kind}: ${list.length === 0 ? "nothing" : list.join("; ")}. ` +
    `Not separated: ${compared.length - apart.length} of ${compared.length} comparisons.`
  );
}

/** Measures that differences are told by; AP75 says the same once more. */
const told: readonly DetectionMeasure[] = ["ap50", "ap", "maskAp", "objectAp50"];

function transferBlock(result: TransferResult): string {
  const [metrics, , categories] = transferTables(result);
  const trained = { ...metrics!, rows: metrics!.rows.filter(({ runs }) => runs.length > 0) };
  const shown = told.filter((measure) => result.measures.includes(measure));
  const differences = result.differences.map((difference): TextRow => {
    const published = shown.filter((measure) => difference.published[measure] !== undefined);
    const directions = new Set(published.map((measure) => publishedDirection(difference, measure)));
    const printed =
      directions.size === 1
        ? [...directions]
        : published.map((measure) => `${measureTitles[measure]} ${publishedDirection(difference, measure)}`);
    const columns = shown.flatMap((measure): [string, string][] => {
      const { mean, low, high, verdict } = difference.measures[measure]!;
      return [[measureTitles[measure], `${signedInterval(mean, { low, high }, { scale: 100 })}: ${verdict}`]];
    });
    return {
      difference: `${difference.row} − ${difference.reference}`,
      "in the paper": `${printed.join("; ")} (${difference.source})`,
      ...Object.fromEntries(columns),
    };
  });
  const ends = result.rows.flatMap(({ label, runs }) => validationRow(label, runs));
  return [
    markdownTable(trained),
    ...(differences.length === 0 ? [] : [markdownTable(plain(differences))]),
    ...(categories === undefined ? [] : ["AP of each category, mean over seeds:", markdownTable(categories)]),
    ...(ends.length === 0 ? [] : ["AP50 on the held-out part along training (%), seed 1:", markdownTable(plain(ends))]),
  ].join("\n\n");
}

/** Readings of a training that ended by them. */
function validationRow(label: string, [run]: TransferResult["rows"][number]["runs"]): TextRow[] {
  if (run?.manifest.recipe.stopping === undefined) return [];
  return [
    {
      initialization: label,
      "after iterations": run.validations
        .map(({ step, ap50 }) => `${step.toLocaleString("en")}: ${percentValue(ap50)}`)
        .join(", "),
    },
  ];
}

function claimsBlock(table: ReportTable): string {
  return [markdownTable(table), table.notes.map((note) => `- ${note}`).join("\n")].join("\n\n");
}

/** Trials of a detector's rate: AP50 on validation along each. */
function ratesBlock(folder: string, start: string): string {
  const runs = namesIn(folder, ".json")
    .filter((name) => name.startsWith(start))
    .map((name) => readDetectorRun(join(folder, `${name}.json`))!)
    .sort((a, b) => a.manifest.recipe.learningRate - b.manifest.recipe.learningRate);
  if (runs.length === 0)
    throw new InputError(`Cannot show the trials of rates: there are no files ${start}* in ${folder}`);
  return markdownTable(
    plain(
      runs.map(({ manifest, validations }) => ({
        rate: String(manifest.recipe.learningRate),
        "AP50 on validation (%), after iterations": validations
          .map(({ step, ap50 }) => `${step.toLocaleString("en")}: ${percentValue(ap50)}`)
          .join(", "),
      })),
    ),
  );
}

function withoutOfficial(table: ReportTable): ReportTable {
  return withColumns(
    table,
    columnsOf(table).filter((column) => !column.includes("official")),
  );
}

function plain(rows: readonly TextRow[]): ReportTable {
  return { id: "", title: "", paper: "", rows: rows.map((cells) => ({ cells, runs: [] })), printed: {}, notes: [] };
}
