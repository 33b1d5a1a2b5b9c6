import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { emojiCredit } from "../../src/data/emoji";
import { reportPage, writeReportPage } from "../../src/report/page";
import { runName } from "../../src/runs/run-name";
import { checkPage } from "../../src/verify/check-page";
import { momentumAblation } from "../../src/experiments/ablation/momentum";
import { presetNamed } from "../../src/recipes/presets";
import { transferNamed } from "../../src/experiments/transfer/transfer";
import { transferResult } from "../../src/experiments/transfer/transfer-result";
import { ablationResult, type AblationResult } from "../../src/experiments/ablation/ablation-result";
import { type RunRecord } from "../../src/runs/run-record";
import { judge } from "../../src/claims/judge";
import { exampleClaim } from "../claims/example-claim";
import { exampleBaselines, exampleRun } from "../runs/example-run";

const preset = presetNamed("smoke");
const ablation = momentumAblation(preset);
const baselines = exampleBaselines(preset.base.encoder, [8, 8], 10);
const plotly = 'const Plotly = { newPlot() { return "</script>"; } };';

function resultOf(change: (run: RunRecord) => RunRecord = (run) => run): AblationResult {
  const runs = ablation.cells.map(({ recipe }) => [change(exampleRun(recipe, 1, 30))]);
  return ablationResult(ablation, runs, baselines);
}

describe("reportPage", () => {
  const page = reportPage({ presets: [{ preset, ablations: [resultOf()] }] }, plotly);

  it("needs no network: no script, style, image or frame has an address", () => {
    expect(page).not.toMatch(/\bsrc\s*=|<link|<iframe|<img|@import|url\(|\bimport\(/i);
    expect(page.match(/<script/g)).toHaveLength(3); // Plotly, the charts, and what draws them
    expect(page.match(/<\/script/g)).toHaveLength(3); // none of them ended by what Plotly's source holds
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(page)![1]!;
    const scripts = [...page.matchAll(/<script>([^]*?)<\/script>/g)].map(([, script]) => script!);
    expect(scripts).toHaveLength(2);
    for (const script of scripts) {
      expect(policy).toContain(`'sha256-${createHash("sha256").update(script).digest("base64")}'`);
    }
    expect(policy).toContain("default-src 'none'");
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
    // Titles of charts are broken into lines.
    const section = reportPage(
      { presets: [{ preset, ablations: [], transfers: [boxes!, masks!] }] },
      plotly,
    ).replaceAll("\\u003cbr>", " ");
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
    const charts = [...section.matchAll(/<div id="([^"]+)" class="chart"/g)].map(([, id]) => id);
    expect(charts).toHaveLength(6);
    expect(new Set(charts).size).toBe(charts.length);
    expect(page).not.toContain("The tasks of the paper");
  });

  it("names no number of a transfer's row without runs", () => {
    const transfer = transferNamed("smoke");
    const empty = transferResult(
      transfer,
      transfer.rows.map(() => []),
    );
    const transfers = [{ result: empty, drawing: undefined, encoders: [] }];
    expect(checkPage(reportPage({ presets: [{ preset, ablations: [], transfers }] }, plotly))).toEqual([]);
  });

  it("credits the drawings", () => {
    expect(page).toContain(`<footer><p>${emojiCredit}</p></footer>`);
    expect(page).toContain("CC-BY 4.0");
  });

  it("has claim, publication and reproduction in one table, and the baselines in it", () => {
    const table = new RegExp(`<table id="table-smoke-${ablation.id}">[^]*?</table>`).exec(page)![0];
    for (const column of ["claimed", "published", "linear probe", "retrieval"]) {
      expect(table).toContain(`<th scope="col">${column}</th>`);
    }
    for (const cell of ["m = 0.99", "fail (K = 4,096)", "random network, 2 draws", "pixels", "as published"]) {
      expect(table).toMatch(new RegExp(`<td[^>]*>${cell.replace(/[()]/g, "\\$&")}</td>`));
    }
  });

  it("leads from each number to its run, and names no number without a run or a source", () => {
    const { recipe } = ablation.cells[0]!;
    expect(page).toContain(`<details class="run" id="run-smoke-${runName(recipe, "0123abcd", 1)}.json"`);
    expect(page).toContain("<dd>a processor, 2 cores, CPU</dd>");
    expect(checkPage(page)).toEqual([]);
    const dead = page.replaceAll('href="#run-smoke-pixels.json"', 'href="#run-gone"');
    expect(checkPage(dead).map(({ what }) => what)).toContainEqual(expect.stringContaining("#run-gone leads nowhere"));
    const bare = page.replace("<h3 data-source", "<p>It took 12 minutes.</p><h3 data-source");
    expect(checkPage(bare)).toEqual([
      expect.objectContaining({ what: '"It took 12 minutes." has a number without a run or a source' }),
    ]);
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
    const escaped = reportPage({ presets: [{ preset, ablations: [named] }] }, plotly);
    expect(escaped).not.toContain("<b ");
    expect(escaped).toContain('<h3 data-source="title">&lt;/script&gt;&lt;b title=&quot;x&quot;&gt;&amp;</h3>');
    expect(escaped.match(/<\/script/g)).toHaveLength(3);
  });

  it("has presets one after the other, each with its tables, and links to all sections", () => {
    const quick = presetNamed("quick");
    const ofQuick = momentumAblation(quick);
    const runs = ofQuick.cells.map(() => []);
    const nothing = ablationResult(ofQuick, runs, { randomNetworks: [], pixels: undefined });
    const both = reportPage(
      {
        presets: [
          { preset, ablations: [resultOf()] },
          { preset: quick, ablations: [nothing] },
        ],
      },
      plotly,
    );
    const ids = [...both.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!);
    expect(new Set(ids).size).toBe(ids.length);
    const links = [...both.matchAll(/<nav[^]*?<\/nav>/g)].flatMap(([nav]) =>
      [...nav.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id!),
    );
    expect(links).toEqual(["preset-smoke", "smoke-momentum", "preset-quick", "quick-momentum", "runs"]);
    expect(ids).toEqual(expect.arrayContaining(links));
  });

  it("says first what was reproduced, by which preset where there are several", () => {
    const judged = judge([exampleClaim("S6", { kind: "difference" })], () => ({
      values: [
        [3, 4],
        [1, 2],
      ],
    }))[0]!;
    const claims = [
      { ...judged, preset: "quick", runs: ["quick/a.json", "quick/b.json"] },
      { ...judged, preset: "small", runs: ["small/a.json", "small/b.json"] },
    ];
    const first = (list: typeof claims) => reportPage({ claims: list, presets: [] }, plotly);
    expect(first(claims)).toContain("<b>2</b> <strong>too few seeds</strong>");
    expect(first(claims)).toContain("<small>quick: S6; small: S6</small>");
    expect(first(claims)).toContain("Of 1 claims");
    expect(first(claims.slice(0, 1))).toContain("<small>S6</small>");
  });

  it("shows a result of which nothing was run", () => {
    const nothing = ablationResult(ablation, [[], []], { randomNetworks: [], pixels: undefined });
    const text = reportPage({ presets: [{ preset, ablations: [nothing] }] }, plotly);
    expect(text).toContain("Nothing has been run yet.");
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe("writeReportPage", () => {
  it("makes the folder and puts Plotly into the file", () => {
    const folder = mkdtempSync(join(tmpdir(), "moco-report-"));
    try {
      const path = join(folder, "a", "report.html");
      writeReportPage(path, { presets: [{ preset, ablations: [resultOf()] }] });
      const text = readFileSync(path, "utf8");
      expect(text.length).toBeGreaterThan(1e6);
      expect(text).not.toMatch(/<script[^>]*\bsrc=/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
