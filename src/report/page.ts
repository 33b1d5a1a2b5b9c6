import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { emojiCredit } from "../data/emoji";
import { plotlyFigure, type Figure } from "../display/chart";
import { escapeHtml, type TextRow } from "../display/table";
import { ablationFigure, trainingFigure, seedFigure, seriesFigure } from "../experiments/ablation/ablation-charts";
import type { AblationResult } from "../experiments/ablation/ablation-result";
import type { EngineComparison } from "../experiments/pytorch-parity/two-engines";
import { engineFigure } from "../experiments/pytorch-parity/two-engines-rows";
import type { MeasuredEncoder } from "../experiments/transfer/measured-encoders";
import { publishedRows } from "../experiments/transfer/published-rows";
import { rankFigure, rankFinding, rankRows } from "../experiments/transfer/rank-rows";
import { taskDifferenceRows, taskFindings, taskRows } from "../experiments/transfer/task-rows";
import type { TransferResult } from "../experiments/transfer/transfer-result";
import { transferFigure, validationFigure } from "../experiments/transfer/transfer-rows";
import { replaceFile } from "../files/replace-file";
import type { PublishedTable } from "../paper/published-table";
import type { Preset } from "../recipes/presets";
import { htmlNotes, linkedTable } from "./html-table";
import { pageStyle } from "./page-style";
import type { RecordedJudgement } from "./recorded-judgements";
import type { ReportTable } from "./report-table";
import { ablationTables, engineTables, presetTables, transferTables } from "./result-tables";
import { runEntries } from "./run-entries";
import { claimsTable, verdictSection } from "./verdict-section";

/** A transfer for the page. */
export interface TransferOnPage {
  readonly result: TransferResult;
  /** What was annotated beside what a row found, as SVG; undefined where the images are not at hand. */
  readonly drawing: string | undefined;
  /** Its encoders by linear probe and by detection, where both are known. */
  readonly encoders: readonly MeasuredEncoder[];
}

/** What stands on a page of one preset. */
export interface PresetOnPage {
  readonly preset: Preset;
  readonly ablations: readonly AblationResult[];
  readonly transfers?: readonly TransferOnPage[];
}

/** What stands on a page. */
export interface PageContent {
  readonly presets: readonly PresetOnPage[];
  readonly engines?: EngineComparison;
  readonly claims?: readonly RecordedJudgement[];
}

/** Writes the page as one HTML file that needs no network: Plotly is inside. */
export function writeReportPage(path: string, content: PageContent): void {
  const plotly = readFileSync(require.resolve("plotly.js-basic-dist-min"), "utf8");
  replaceFile(path, reportPage(content, plotly));
}

/**
 * The page: verdicts first, then each table with its charts, then every run that a number comes from.
 *
 * @param plotly - source of plotly.js, put into the page
 */
export function reportPage(content: PageContent, plotly: string): string {
  const { presets, engines, claims } = content;
  const charts = new Map<string, Figure>();
  const transfers = presets.flatMap((one) => one.transfers ?? []);
  const sections = [
    claims === undefined ? "" : verdictSection(claims),
    contents(presets, engines),
    ...presets.map((one) => presetSection(one, charts)),
    engines === undefined ? "" : engineSection(engines, charts),
    transfers.length === 0 ? "" : taskSection(),
    `<section id="runs">
<h2>Runs</h2>
<p>Every run that a number above is computed from: what made it, and its loss along training. A number above opens its run.</p>
${runEntries({ presets, transfers: transfers.map(({ result }) => result), engines }, tablesOn(content))}
</section>`,
  ];
  const library = plotly.replaceAll("</script", "<\\/script");
  const policy =
    `default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; ` +
    `script-src ${[library, drawCharts].map((script) => `'sha256-${hashOf(script)}'`).join(" ")}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>moco-kit: MoCo, reproduced</title>
<style>${pageStyle}</style>
<script>${library}</script>
</head>
<body>
<main>
<h1>MoCo, reproduced</h1>
<p>The published numbers are those of the paper on ImageNet; the reproduced ones were
measured here, at the scale that is said below each table. Compare directions, not values. Each number leads to its runs.</p>
${sections.join("\n")}
</main>
<footer><p>${escapeHtml(emojiCredit)}</p></footer>
<script type="application/json" id="charts">${JSON.stringify(Object.fromEntries([...charts].map(([id, figure]) => [id, plotlyFigure(figure)]))).replaceAll("<", "\\u003c")}</script>
<script>${drawCharts}</script>
</body>
</html>
`;
}

/** Runs in the browser: draws the charts, and opens what a link leads into: a list of runs, or a run. */
const drawCharts = `
"use strict";
const charts = JSON.parse(document.getElementById("charts").textContent);
for (const [id, { data, layout }] of Object.entries(charts)) {
  Plotly.newPlot(id, data, layout, { responsive: true, displaylogo: false });
}
const open = () => {
  const target = location.hash === "" ? null : document.getElementById(decodeURIComponent(location.hash.slice(1)));
  target?.closest("details")?.setAttribute("open", "");
  target?.scrollIntoView();
};
addEventListener("hashchange", open);
open();
`;

type Charts = Map<string, Figure>;

/** All tables whose numbers come from runs. */
function tablesOn({ presets, engines, claims }: PageContent): readonly ReportTable[] {
  return [
    ...(claims === undefined ? [] : [claimsTable(claims)]),
    ...presets.flatMap(({ preset, ablations, transfers = [] }) =>
      presetTables(
        preset,
        ablations,
        transfers.map(({ result }) => result),
      ),
    ),
    ...(engines === undefined ? [] : engineTables(engines)),
  ];
}

/** Links to the sections. */
function contents(presets: readonly PresetOnPage[], engines: EngineComparison | undefined): string {
  const link = (id: string, text: string) => `<a href="#${id}">${escapeHtml(text)}</a>`;
  const ofPreset = ({ preset, ablations, transfers = [] }: PresetOnPage) =>
    `<li>${link(`preset-${preset.name}`, `Preset ${preset.name}`)}: ${[
      ...ablations.map(({ ablation: { id, title } }) => link(`${preset.name}-${id}`, title)),
      ...transfers.map(({ result: { transfer } }) => link(`transfer-${transfer.name}`, transfer.title)),
    ].join(", ")}</li>`;
  return `<nav aria-label="Contents" data-source="titles of the sections"><ul>
${presets.map(ofPreset).join("\n")}
${engines === undefined ? "" : `<li>${link("two-engines", "Two engines, one recipe")}</li>`}
<li>${link("runs", "Runs")}</li>
</ul></nav>`;
}

function presetSection({ preset, ablations, transfers = [] }: PresetOnPage, charts: Charts): string {
  return `<section id="preset-${preset.name}">
<h2>Preset ${escapeHtml(preset.name)}</h2>
<p data-source="src/recipes/presets.ts">${escapeHtml(preset.purpose)}.</p>
${ablations.map((result) => ablationSection(result, preset, charts)).join("\n")}
${transfers.map((transfer) => transferSection(transfer, charts)).join("\n")}
</section>`;
}

function ablationSection(result: AblationResult, preset: Preset, charts: Charts): string {
  const { id, title, paper, claims, cells } = result.ablation;
  const seeds = (["linear", "retrieval"] as const).flatMap((metric) => seedFigure(result, metric) ?? []);
  const overview = cells.some(({ series }) => series !== undefined)
    ? [seriesFigure(result, "linear"), seriesFigure(result, "knn")]
    : [ablationFigure(result)];
  const figures = [...seeds, ...overview, trainingFigure(result)];
  return `<section id="${preset.name}-${id}">
<h3 data-source="title">${escapeHtml(title)}</h3>
<p data-source="${escapeHtml(paper)}">Paper: ${escapeHtml(paper)}. Claims: ${claims.join(", ")} (docs/claims.md).</p>
${tablesHtml(ablationTables(result, preset.name))}
${figures.map((figure, index) => chart(`${preset.name}-${id}-${index}`, figure, charts)).join("\n")}
</section>`;
}

function transferSection({ result, drawing, encoders }: TransferOnPage, charts: Charts): string {
  const { transfer } = result;
  const ranked = encoders.length === 0 ? [] : [rankFigure(encoders, transfer.title)];
  const figures = [transferFigure(result), validationFigure(result), ...ranked];
  const ofEncoders: ReportTable = {
    ...plainTable(
      `${transfer.name}-ranks`,
      "The order of encoders by linear accuracy and by detection",
      transfer.paper,
      rankRows(encoders),
    ),
    notes: encoders.length === 0 ? [] : [rankFinding(encoders)],
  };
  return `<section id="transfer-${transfer.name}">
<h3 data-source="title">${escapeHtml(transfer.title)}</h3>
<p data-source="${escapeHtml(transfer.paper)}">Paper: ${escapeHtml(transfer.paper)}. Claims: ${escapeHtml(transfer.claims)} (docs/claims.md).</p>
${tablesHtml([...transferTables(result), ofEncoders])}
${figures.map((figure, index) => chart(`${transfer.name}-${index}`, figure, charts)).join("\n")}
${drawing === undefined ? "" : `<div class="scroll" data-source="detections of the first MoCo run">${drawing}</div>`}
${transfer.published.map((table, index) => publishedHtml(table, result, `${transfer.name}-published-${index}`)).join("\n")}
</section>`;
}

function engineSection(engines: EngineComparison, charts: Charts): string {
  const figures = (["loss", "knn"] as const).map((measure) => engineFigure(engines, measure));
  return `<section id="two-engines">
<h2>Two engines, one recipe</h2>
${tablesHtml(engineTables(engines))}
${figures.map((figure, index) => chart(`two-engines-${index}`, figure, charts)).join("\n")}
</section>`;
}

/** The paper's tasks, by its own numbers. */
function taskSection(): string {
  const paper = "Tables 2, 5 and 6";
  return `<section id="tasks">
<h2>The tasks of the paper</h2>
<p data-source="${paper}">Paper: ${paper}. Claims: S4, S10; doubt D7 (docs/claims.md).</p>
${tablesHtml([
  plainTable("tasks", "MoCo minus supervised pre-training, in points", paper, taskRows()),
  { ...plainTable("task-differences", "By AP or mean IoU", paper, taskDifferenceRows()), notes: taskFindings() },
])}
</section>`;
}

function publishedHtml(table: PublishedTable, result: TransferResult, id: string): string {
  const shown = plainTable(id, `${table.title}, as published`, table.title, publishedRows(table, result));
  return tablesHtml([{ ...shown, notes: table.note === undefined ? [] : [table.note] }]);
}

/** A table of numbers that are printed in the paper, or follow from those alone. */
function plainTable(id: string, title: string, paper: string, rows: readonly TextRow[]): ReportTable {
  const printed = Object.fromEntries(Object.keys(rows[0] ?? {}).map((column) => [column, paper]));
  return { id, title, paper, rows: rows.map((cells) => ({ cells, runs: [] })), printed, notes: [] };
}

function tablesHtml(tables: readonly ReportTable[]): string {
  return tables.map((table) => `${linkedTable(table)}\n${htmlNotes(table.notes)}`).join("\n");
}

function chart(id: string, figure: Figure, charts: Charts): string {
  const key = `chart-${id}`;
  charts.set(key, figure);
  const { title } = (figure.layout ?? {}) as { readonly title?: { readonly text?: string } };
  return `<div id="${key}" class="chart" role="img" aria-label="${escapeHtml(title?.text ?? "chart")}"></div>`;
}

function hashOf(script: string): string {
  return createHash("sha256").update(script).digest("base64");
}
