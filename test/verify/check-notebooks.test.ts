import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkNotebooks, notebookProse } from "../../src/verify/check-notebooks";
import { recordedPart, sourceCells } from "../../src/verify/notebook-source";
import { recordedOutputs, type CellOutput } from "../../src/verify/recorded-outputs";

const source = `// %% [markdown]
// # A notebook
//
// K is 256.

// %% tags=["parameters"]
const preset: string = "quick";

// %% tags=["varies"]
import { format } from "node:util";
const found = 1;

// %%
console.log(found);

// %%
const { name: shown } = { name: preset, found: 2 };
console.log(format("%s of %d", shown, { found: 3 }.found));

// %%
import { showTable } from "moco-kit";
showTable([{ row: "a", AP: "12.5" }], { caption: "A table" });
`;

describe("sourceCells", () => {
  it("takes cells apart as jupytext does", () => {
    const cells = sourceCells(source);
    expect(cells.map(({ kind, tags, line }) => [kind, tags, line])).toEqual([
      ["markdown", [], 2],
      ["code", ["parameters"], 7],
      ["code", ["varies"], 10],
      ["code", [], 14],
      ["code", [], 17],
      ["code", [], 21],
    ]);
    expect(cells[0]!.text).toBe("# A notebook\n\nK is 256.");
    expect(cells[1]!.text).toBe('const preset: string = "quick";');
  });
});

describe("recordedPart", () => {
  it("leaves out what varies and what needs it, and keeps its imports", () => {
    const { code, cells } = recordedPart(source);
    // `found` of the cells after it is a name of properties.
    expect([...cells]).toEqual([1, 4, 5]);
    expect(code).toContain("node:util");
    expect(code).not.toContain("console.log(found)");
  });
});

describe("checkNotebooks", () => {
  let project: string;
  let path: string;
  beforeEach(async () => {
    project = mkdtempSync(join(tmpdir(), "moco-notebooks-"));
    symlinkSync(join(__dirname, "../../node_modules"), join(project, "node_modules"));
    mkdirSync(join(project, "notebooks", "sources"), { recursive: true });
    path = join(project, "notebooks", "00-small.ipynb");
    writeFileSync(join(project, "notebooks", "sources", "00-small.ts"), source);
    const outputs = await recordedOutputs(source, path);
    const ofVaries = [{ output_type: "stream", text: "anything" }];
    const cells = sourceCells(source).map(({ kind, text }, index) => ({
      cell_type: kind,
      source: text.split(/(?<=\n)/),
      ...(kind === "code" && { outputs: outputs.get(index)?.map(asKept) ?? ofVaries }),
    }));
    writeFileSync(path, JSON.stringify({ cells }));
  });
  afterEach(() => rmSync(project, { recursive: true }));

  it("finds nothing where all is as the source gives it", async () => {
    expect(readFileSync(path, "utf8")).toContain("quick of 3");
    expect(await checkNotebooks({ project })).toEqual([]);
  });

  it("finds the altered digit of a table, an answer and a text, and names the cell", async () => {
    const text = readFileSync(path, "utf8");
    const alter = async (from: string | RegExp, to: string) => {
      expect(text).toMatch(from);
      writeFileSync(path, text.replace(from, to));
      return (await checkNotebooks({ project })).map(({ level, where, what }) => `${level}: ${where}: ${what}`);
    };
    const at = (cell: number) => `fault: notebooks/00-small.ipynb, cell ${cell}: `;
    expect(await alter("<td>12.5</td>", "<td>13.5</td>")).toEqual([
      expect.stringMatching(
        new RegExp(`^${at(6)}output 1 \\(text/html\\): ".*13\\.5.*" is written where the recorded runs give ".*12\\.5`),
      ),
    ]);
    expect(await alter("quick of 3", "quick of 4")).toEqual([
      `${at(5)}output 1 (text): "quick of 4 " is written where the recorded runs give "quick of 3 ": ` +
        "make it anew: npm run notebooks -- 00",
    ]);
    expect(await alter("K is 256", "K is 255")).toEqual([expect.stringContaining(`${at(1)}" A notebook K is 255."`)]);
    expect(await alter('"anything"', '"other"')).toEqual([]);
    expect(await alter(/,\{"cell_type":"code"(?!.*"cell_type").*\}/, "]}")).toEqual([
      expect.stringContaining("it has 5 cells, its source 6"),
    ]);
  });

  it("says so where there is no notebook, or something else", async () => {
    writeFileSync(path, "{}");
    expect(await checkNotebooks({ project })).toEqual([
      { level: "fault", where: "notebooks/00-small.ipynb", what: "it is no notebook: Required" },
    ]);
    rmSync(path);
    expect((await checkNotebooks({ project }))[0]!.what).toContain("there is no notebook of its source");
  });
});

describe("notebookProse", () => {
  it("keeps the lines of the source", () => {
    const text = [...notebookProse(join(__dirname, "../.."))].find(([name]) => name.endsWith("04-momentum.ts"))![1];
    expect(text.split("\n")[1]).toBe("# Momentum of the key encoder (section 4.1)");
    expect(text).not.toContain("import {");
  });
});

/** Jupyter keeps texts in lines, and the keys of objects by the alphabet. */
function asKept(output: CellOutput): object {
  if ("text" in output) return { output_type: "stream", name: "stdout", text: output.text.split(/(?<=\n)/) };
  const entries = Object.entries(output.data).sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    output_type: "display_data",
    metadata: {},
    data: Object.fromEntries(
      entries.map(([type, value]) => [type, typeof value === "string" ? value.split(/(?<=\n)/) : value]),
    ),
  };
}
