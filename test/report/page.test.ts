import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { emojiCredit } from "../../src/data/emoji";
import { reportPage, writeReportPage } from "../../src/report/page";
import { momentumAblation } from "../../src/experiments/ablation/momentum";
import { presetNamed } from "../../src/recipes/presets";
import { transferNamed } from "../../src/experiments/transfer/transfer";
import { transferResult } from "../../src/experiments/transfer/transfer-result";
import { ablationResult, type AblationResult } from "../../src/experiments/ablation/ablation-result";
import { type RunRecord } from "../../src/runs/run-record";
import { exampleEvaluation, exampleRun } from "../runs/example-run";

const preset = presetNamed("smoke");
const ablation = momentumAblation(preset);
const baselines = { randomNetworks: [exampleEvaluation(8), exampleEvaluation(8)], pixels: exampleEvaluation(10) };
const plotly = 'const Plotly = { newPlot() { return "</script>"; } };';

function resultOf(change: (run: RunRecord) => RunRecord = (run) => run): AblationResult {
  const runs = ablation.cells.map(({ recipe }) => [change(exampleRun(recipe, 1, 30))]);
  return ablationResult(ablation, runs, baselines);
}

describe("reportPage", () => {
  const page = reportPage([resultOf()], preset, plotly);

  it("needs no network: no script, style, image or frame has an address", () => {
    expect(page).not.toMatch(/\bsrc\s*=|<link|<iframe|<img|@import|url\(|\bimport\(/i);
    expect(page.match(/<script/g)).toHaveLength(1 + 3); // Plotly and the three charts
    expect(page.match(/<\/script/g)).toHaveLength(1 + 3); // none of them ended by what Plotly's source holds
  });

  it("tells the browser to load nothing, before any script", () => {
    const policy = /<meta http-equiv="Content-Security-Policy" content="([^"]+)">/.exec(page)!;
    expect(policy[1]).toMatch(/^default-src 'none'; /);
    expect(policy[1]).not.toMatch(/https?:|\*|'self'/);
    expect(policy.index).toBeLessThan(page.indexOf("<script"));
  });

  it("has each transfer with its drawing, its published tables and its encoders, and the tasks of the paper", () => {
    const [boxes, masks] = (["smoke", "smoke-fpn"] as const).map((name) => {
      const transfer = transferNamed(name);
      const result = transferResult(
        transfer,
        transfer.rows.map(() => []),
      );
      const metrics = { ap: 0.1, ap50: 0.2, ap75: 0.1, objectAp: 0.2, objectAp50: 0.3 };
      const encoders = [{ label: "MoCo", seed: 1, linear: 0.5, metrics }];
      return { result, drawing: `<svg>${name}</svg>`, encoders };
    });
    const section = reportPage([], preset, plotly, [boxes!, masks!]);
    for (const text of [
      "<svg>smoke</svg>",
      "<svg>smoke-fpn</svg>",
      "Table 4: other methods",
      "Table A.1: Mask R-CNN",
      "kept as printed",
      "not run",
      "AP75, masks",
      "Instagram-1B is not public",
      "AP against linear accuracy",
      "no order to compare",
      "S4, better than supervised pre-training on all 7",
    ]) {
      expect(section).toContain(text);
    }
    const charts = [...section.matchAll(/<div id="([^"]+)" class="chart">/g)].map(([, id]) => id);
    expect(charts).toHaveLength(6);
    expect(new Set(charts).size).toBe(charts.length);
    expect(page).not.toContain("The tasks of the paper");
  });

  it("credits the drawings", () => {
    expect(page).toContain(`<footer><p>${emojiCredit}</p></footer>`);
    expect(page).toContain("CC-BY 4.0");
  });

  it("has claim, publication and reproduction in one table, and the baselines in it", () => {
    const table = /<table><caption>Accuracy<\/caption>[^]*?<\/table>/.exec(page)![0];
    for (const column of ["claimed", "published", "linear probe", "retrieval"]) {
      expect(table).toContain(`<th>${column}</th>`);
    }
    for (const cell of ["m = 0.99", "fail (K = 4,096)", "random network, 2 draws", "pixels", "as published"]) {
      expect(table).toContain(`<td>${cell}</td>`);
    }
  });

  it("names the run behind each number", () => {
    expect(page).toContain(`<td>${ablation.cells[0]!.recipe.name}, seed 1</td>`);
    expect(page).toContain("<td>a processor, 2 cores, CPU</td>");
  });

  it("escapes text in tables, notes and charts", () => {
    const hostile = '</script><b title="x">&';
    const changed = resultOf((run) => ({
      ...run,
      manifest: {
        ...run.manifest,
        data: { ...run.manifest.data, name: hostile },
        machine: { ...run.manifest.machine, cpu: hostile },
      },
    }));
    const named = {
      ...changed,
      ablation: { ...ablation, title: hostile },
      rows: changed.rows.map((row) => ({ ...row, label: hostile })),
    };
    const escaped = reportPage([named], preset, plotly);
    expect(escaped).not.toContain("<b ");
    expect(escaped).toContain("<h2>&lt;/script&gt;&lt;b title=&quot;x&quot;&gt;&amp;</h2>");
    expect(escaped.match(/<\/script/g)).toHaveLength(1 + 3);
  });

  it("shows a result of which nothing was run", () => {
    const nothing = ablationResult(ablation, [[], []], { randomNetworks: [], pixels: undefined });
    const text = reportPage([nothing], preset, plotly);
    expect(text).toContain("Nothing has been run yet.");
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe("writeReportPage", () => {
  it("makes the folder and puts Plotly into the file", () => {
    const folder = mkdtempSync(join(tmpdir(), "moco-report-"));
    try {
      const path = join(folder, "a", "report.html");
      writeReportPage(path, [resultOf()], preset);
      const text = readFileSync(path, "utf8");
      expect(text.length).toBeGreaterThan(1e6);
      expect(text).not.toMatch(/<script[^>]*\bsrc=/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
