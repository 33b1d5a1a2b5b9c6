import { readFileSync } from "node:fs";
import { emojiCredit } from "../data/emoji";
import { replaceFile } from "../files/replace-file";
import type { Figure } from "../display/chart";
import { escapeHtml, tableBundle } from "../display/table";
import type { MeasuredEncoder } from "../experiments/transfer/measured-encoders";
import type { Preset } from "../recipes/presets";
import type { PublishedTable } from "../paper/published-table";
import type { AblationResult } from "../experiments/ablation/ablation-result";
import type { TransferResult } from "../experiments/transfer/transfer-result";
import type { Manifest } from "../train/manifest";
import { ablationFigure, lossFigure, monitorFigure, seriesFigure } from "../experiments/ablation/ablation-charts";
import { rankFigure, rankFinding, rankRows } from "../experiments/transfer/rank-rows";
import { publishedRows } from "../experiments/transfer/published-rows";
import { accuracyRows, agreementRows, footnotes, queueRows } from "../experiments/ablation/ablation-rows";
import { type TextRow } from "../display/table";
import { taskDifferenceRows, taskFindings, taskRows } from "../experiments/transfer/task-rows";
import {
  categoryRows,
  differenceRows,
  validationFigure,
  transferFigure,
  transferNotes,
  transferRows,
} from "../experiments/transfer/transfer-rows";

/** A transfer for the page. */
export interface TransferOnPage {
  readonly result: TransferResult;
  /** What was annotated beside what a row found, as SVG. */
  readonly drawing: string;
  /** Its encoders by linear probe and by detection, where both are known. */
  readonly encoders: readonly MeasuredEncoder[];
}

/** Writes the tables as one HTML file that needs no network: Plotly is inside. */
export function writeReportPage(
  path: string,
  results: readonly AblationResult[],
  preset: Preset,
  transfers: readonly TransferOnPage[] = [],
): void {
  const plotly = readFileSync(require.resolve("plotly.js-dist"), "utf8");
  replaceFile(path, reportPage(results, preset, plotly, transfers));
}

/** The page loads nothing from anywhere; Plotly, inside of it, makes functions from text and images from its charts. */
const contentPolicy =
  "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; " +
  "font-src data:; base-uri 'none'; form-action 'none'";

/** @param plotly - source of plotly.js, put into the page */
export function reportPage(
  results: readonly AblationResult[],
  preset: Preset,
  plotly: string,
  transfers: readonly TransferOnPage[] = [],
): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>moco-kit: ${escapeHtml(preset.name)}</title>
<style>${styles}</style>
<script>${plotly.replaceAll("</script", "<\\/script")}</script>
</head>
<body>
<h1>MoCo, reproduced: preset ${escapeHtml(preset.name)}</h1>
<p>${escapeHtml(preset.purpose)}. The published numbers are those of the paper on ImageNet; the reproduced ones were
measured here, at the scale that is said below each table. Compare directions, not values.</p>
${results.map(section).join("\n")}
${transfers.map(transferSection).join("\n")}
${transfers.length === 0 ? "" : taskSection()}
<footer><p>${escapeHtml(emojiCredit)}</p></footer>
</body>
</html>
`;
}

function section(result: AblationResult): string {
  const { id, title, paper, claims } = result.ablation;
  const overview = result.ablation.cells.some(({ series }) => series !== undefined)
    ? [seriesFigure(result, "linear"), seriesFigure(result, "knn")]
    : [ablationFigure(result)];
  const figures = [...overview, lossFigure(result), monitorFigure(result)];
  return `<section>
<h2>${escapeHtml(title)}</h2>
<p>Paper: ${escapeHtml(paper)}. Claims: ${claims.join(", ")} (docs/claims.md).</p>
${htmlTable("Accuracy", accuracyRows(result))}
${notes(footnotes(result))}
${htmlTable(`Agreement with the paper, each row against ${result.ablation.referenceLabel}`, agreementRows(result))}
${htmlTable("What the queue holds", queueRows(result))}
${figures.map((figure, index) => chart(`${id}-${index}`, figure)).join("\n")}
${htmlTable("Runs", runRows(result))}
</section>`;
}

function transferSection({ result, drawing, encoders }: TransferOnPage): string {
  const { transfer, rows } = result;
  const ranked = encoders.length === 0 ? [] : [rankFigure(encoders, transfer.title)];
  const figures = [transferFigure(result), validationFigure(result), ...ranked];
  return `<section>
<h2>${escapeHtml(transfer.title)}</h2>
<p>Paper: ${escapeHtml(transfer.paper)}. Claims: ${escapeHtml(transfer.claims)} (docs/claims.md).</p>
${htmlTable("Figures on the test part, in percent", transferRows(result))}
${notes(transferNotes(result))}
${htmlTable("Differences between rows", differenceRows(result))}
${htmlTable("AP of each category, in percent", categoryRows(result))}
${htmlTable("The order of encoders by linear accuracy and by detection", rankRows(encoders))}
${encoders.length === 0 ? "" : notes([rankFinding(encoders)])}
${figures.map((figure, index) => chart(`${transfer.name}-${index}`, figure)).join("\n")}
<div class="scroll">${drawing}</div>
${transfer.published.map(publishedTable).join("\n")}
${htmlTable(
  "Runs",
  rows.flatMap(({ label, runs }) => runs.map(({ manifest }) => originRow(`${label}, seed ${manifest.seed}`, manifest))),
)}
</section>`;
}

/** The paper's tasks, by its own numbers. */
function taskSection(): string {
  return `<section>
<h2>The tasks of the paper</h2>
<p>Paper: Tables 2, 5 and 6. Claims: S4, S10; doubt D7 (docs/claims.md).</p>
${htmlTable("MoCo minus supervised pre-training, in points", taskRows())}
${htmlTable("By AP or mean IoU", taskDifferenceRows())}
${notes(taskFindings())}
</section>`;
}

function publishedTable(table: PublishedTable): string {
  return (
    htmlTable(`${table.title}, as published`, publishedRows(table)) +
    notes(table.note === undefined ? [] : [table.note])
  );
}

function notes(lines: readonly string[]): string {
  return lines.map((line) => `<p class="note">${escapeHtml(line)}</p>`).join("\n");
}

function runRows({ rows }: AblationResult): TextRow[] {
  return rows.flatMap(({ runs }) =>
    runs.map(({ manifest }) => originRow(`${manifest.recipe.name}, seed ${manifest.seed}`, manifest)),
  );
}

/** Where each number comes from. */
function originRow(run: string, manifest: Omit<Manifest, "recipe" | "data" | "encoder">): TextRow {
  const { machine, versions, git } = manifest;
  return {
    run,
    recipe: manifest.recipeHash,
    "trained for": `${manifest.trainingSeconds.toFixed(0)} s, ${manifest.steps} steps`,
    finished: manifest.finished,
    machine: `${machine.cpu}, ${machine.cores} cores, ${machine.device}`,
    versions: `kit ${versions.kit}, TensorFlow ${versions.tensorflow}, Node ${versions.node}`,
    commit: git === null ? "–" : `${git.commit.slice(0, 10)}${git.modified ? ", modified" : ""}`,
  };
}

function chart(id: string, figure: Figure): string {
  const json = JSON.stringify(figure).replaceAll("<", "\\u003c");
  return `<div id="${id}" class="chart"></div>
<script>{ const figure = ${json}; Plotly.newPlot("${id}", figure.data, figure.layout, { responsive: true, displaylogo: false }); }</script>`;
}

function htmlTable(caption: string, rows: readonly TextRow[]): string {
  return rows.length === 0 ? "" : `<div class="scroll">${tableBundle(rows, caption)["text/html"]}</div>`;
}

const styles = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1200px; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 0.6rem 0; }
th, td { border-bottom: 1px solid #d0d7de; padding: 0.3rem 0.7rem; text-align: left; vertical-align: top; }
.scroll { overflow-x: auto; margin: 1rem 0; }
.note { color: #57606a; font-size: 14px; margin: 0.2rem 0; }
.chart { height: 420px; }
footer { border-top: 1px solid #d0d7de; margin-top: 3rem; color: #57606a; font-size: 14px; }
`;
