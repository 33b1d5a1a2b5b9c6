import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { sync as writeFileAtomic } from "write-file-atomic";
import { emojiCredit } from "../data/emoji";
import type { Figure } from "../notebook/chart";
import { escapeHtml, tableBundle } from "../notebook/table";
import type { Preset } from "../tables/presets";
import type { AblationResult } from "../tables/result";
import { ablationFigure, lossFigure, monitorFigure, seriesFigure } from "./charts";
import { accuracyRows, agreementRows, footnotes, queueRows, type TextRow } from "./rows";

/** Writes the ablations as one HTML file that needs no network: Plotly is inside. */
export function writeReportPage(path: string, results: readonly AblationResult[], preset: Preset): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileAtomic(path, reportPage(results, preset, readFileSync(require.resolve("plotly.js-dist"), "utf8")));
}

/** @param plotly - source of plotly.js, put into the page */
export function reportPage(results: readonly AblationResult[], preset: Preset, plotly: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
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
${footnotes(result)
  .map((note) => `<p class="note">${escapeHtml(note)}</p>`)
  .join("\n")}
${htmlTable(`Agreement with the paper, each row against ${result.ablation.referenceLabel}`, agreementRows(result))}
${htmlTable("What the queue holds", queueRows(result))}
${figures.map((figure, index) => chart(`${id}-${index}`, figure)).join("\n")}
${htmlTable("Runs", runRows(result))}
</section>`;
}

/** Where each number comes from. */
function runRows({ rows }: AblationResult): TextRow[] {
  return rows.flatMap(({ runs }) =>
    runs.map(({ manifest }) => ({
      run: `${manifest.recipe.name}, seed ${manifest.seed}`,
      recipe: manifest.recipeHash,
      "trained for": `${manifest.trainingSeconds.toFixed(0)} s, ${manifest.steps} steps`,
      finished: manifest.finished,
      machine: `${manifest.machine.cpu}, ${manifest.machine.cores} cores, ${manifest.machine.device}`,
      versions: `kit ${manifest.versions.kit}, TensorFlow ${manifest.versions.tensorflow}, Node ${manifest.versions.node}`,
      commit:
        manifest.git === null ? "–" : `${manifest.git.commit.slice(0, 10)}${manifest.git.modified ? ", modified" : ""}`,
    })),
  );
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
