import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeRunRecord } from "../../src/runs/run-record";
import { momentumAblation } from "../../src/experiments/ablation/momentum";
import { presetNamed } from "../../src/recipes/presets";
import { citation, resultsHash, type CitedTable } from "../../src/report/citation";
import { writeRunCrate } from "../../src/report/run-crate";
import { exampleRun } from "../runs/example-run";

let root: string;
let cited: CitedTable;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "moco-cite-"));
  const files = ["quick/a.json", "quick/b.json"];
  mkdirSync(join(root, "quick"));
  const { recipe } = momentumAblation(presetNamed("smoke")).cells[0]!;
  files.forEach((file, seed) => writeRunRecord(join(root, file), exampleRun(recipe, seed + 1, 20)));
  const table = {
    id: "momentum",
    title: "Momentum",
    paper: "section 4.1",
    rows: [{ cells: { m: "0.9", kNN: "44.8 %" }, runs: files }],
    printed: {},
    notes: ["A note."],
  };
  cited = { table, preset: "quick", version: "0.1.0", commit: "0123abc", hash: resultsHash(table, root) };
});
afterAll(() => rmSync(root, { recursive: true }));

describe("citation", () => {
  it("names the paper, the kit, the commit and the exact results in each form", () => {
    for (const format of ["bibtex", "csl-json", "latex", "markdown"] as const) {
      const text = citation(cited, format);
      for (const part of ["Momentum Contrast for Unsupervised", "moco-kit", "0123abc", cited.hash, "2020"]) {
        expect(text).toContain(part);
      }
    }
  });

  it("is what programs read: CSL items with types and authors, a BibTeX entry each, a table of LaTeX and of Markdown", () => {
    const items = JSON.parse(citation(cited, "csl-json")) as { type: string; author: unknown[] }[];
    expect(items.map(({ type, author }) => [type, author.length])).toEqual([
      ["paper-conference", 5],
      ["software", 1],
    ]);
    expect(citation(cited, "bibtex").match(/^@\w+\{\w+,$/gm)).toHaveLength(2);
    expect(citation(cited, "latex")).toMatch(/\\cite\{he2020momentum\}[^]*\\toprule[^]*44\.8 \\% \\\\/);
    expect(citation(cited, "markdown")).toContain("| 0.9 | 44.8 % |");
  });
});

describe("resultsHash", () => {
  it("changes with any byte of a run's file", () => {
    const path = join(root, "quick", "a.json");
    const text = readFileSync(path, "utf8");
    writeFileSync(path, `${text} `);
    expect(resultsHash(cited.table, root)).not.toBe(cited.hash);
    writeFileSync(path, text);
    expect(resultsHash(cited.table, root)).toBe(cited.hash);
  });
});

describe("writeRunCrate", () => {
  it("describes every file, and for each run the action that made it; all references lead to an entity", () => {
    const folder = join(root, "crate");
    writeRunCrate(folder, cited, root);
    const { "@graph": graph } = JSON.parse(readFileSync(join(folder, "ro-crate-metadata.json"), "utf8")) as {
      "@graph": Record<string, unknown>[];
    };
    const ids = new Set(graph.map((entity) => entity["@id"]));
    expect(ids.size).toBe(graph.length);
    const references = JSON.stringify(graph).matchAll(/\{"@id":"([^"]+)"\}/g);
    const outside = [...references].map(([, id]) => id!).filter((id) => !ids.has(id));
    expect(new Set(outside)).toEqual(
      new Set(["https://w3id.org/ro/crate/1.1", "http://schema.org/CompletedActionStatus"]),
    );
    const actions = graph.filter((entity) => entity["@type"] === "CreateAction");
    expect(actions).toHaveLength(3);
    for (const { endTime } of actions) expect(endTime).toMatch(/\+00:00$/);
    for (const file of graph.filter((entity) => entity["@type"] === "File")) {
      expect(readFileSync(join(folder, file["@id"] as string)).length).toBe(Number(file["contentSize"]));
    }
  });
});
