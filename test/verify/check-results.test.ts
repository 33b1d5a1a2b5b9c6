import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeCheckedJson } from "../../src/files/checked-json";
import { momentumAblation } from "../../src/experiments/ablation/momentum";
import { presetNamed } from "../../src/recipes/presets";
import { resultsFolder, runName } from "../../src/runs/run-name";
import { writeRunRecord } from "../../src/runs/run-record";
import { checkResults } from "../../src/verify/check-results";
import { exampleRun } from "../runs/example-run";

let project: string;
let path: string;
const [cell] = momentumAblation(presetNamed("quick")).cells;
const run = exampleRun(cell!.recipe, 1, 20);
const check = () => checkResults({ project, detections: false });
const faults = async () =>
  (await check()).filter(({ level }) => level === "fault").map(({ where, what }) => `${where}: ${what}`);

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "moco-verify-"));
  path = join(project, "results", "quick", `${runName(cell!.recipe, "0123abcd", 1)}.json`);
  mkdirSync(join(project, "results", "quick"), { recursive: true });
  writeRunRecord(path, run);
  cpSync(join(resultsFolder, "cifar10-demo"), join(project, "results", "cifar10-demo"), { recursive: true });
});
afterEach(() => rmSync(project, { recursive: true }));

describe("checkResults", () => {
  it("finds nothing where all is as it was written, and says what has no commit", async () => {
    expect(await check()).toEqual([
      {
        level: "note",
        where: path.slice(project.length + 1),
        what: "it has no commit: made outside a checkout",
      },
    ]);
  });

  it("finds and names every file in which a digit is altered", async () => {
    const files = [
      path,
      ...["kit-seed1.json", "pytorch-seed2.json", "official.csv"].map((name) =>
        join(project, "results", "cifar10-demo", name),
      ),
    ];
    for (const file of files) {
      const text = readFileSync(file, "utf8");
      const digits = [...text.matchAll(/\d/g)].map(({ index }) => index);
      for (const at of [digits[0]!, digits[digits.length >> 1]!, digits.at(-1)!]) {
        const digit = (Number(text[at]) + 1) % 10;
        writeFileSync(file, `${text.slice(0, at)}${digit}${text.slice(at + 1)}`);
        expect((await faults()).join()).toContain(file.slice(project.length + 1));
      }
      writeFileSync(file, text);
    }
    expect(await faults()).toEqual([]);
  });

  it("names a file under another name, a recipe of another hash, and a file that nobody writes", async () => {
    writeRunRecord(path, { ...run, manifest: { ...run.manifest, seed: 2 } });
    expect(await faults()).toEqual([expect.stringMatching(/its content is that of .*-seed2$/)]);
    writeRunRecord(path, { ...run, manifest: { ...run.manifest, recipeHash: "0".repeat(12) } });
    expect(await faults()).toEqual([expect.stringContaining("the manifest says 000000000000")]);
    writeRunRecord(path, run);
    writeFileSync(join(project, "results", "quick", "more.json"), "{}");
    writeFileSync(join(project, "results", "quick", "detect-a-seed1.predictions.json.gz"), "");
    expect(await faults()).toEqual([
      "results/quick/more.json: it is no file that the kit records",
      "results/quick/detect-a-seed1.predictions.json.gz: no recorded run has these detections",
    ]);
  });

  it("refuses a file of an older version by its name", async () => {
    writeCheckedJson(path, { manifest: run.manifest, curve: [] });
    expect(await faults()).toEqual([expect.stringMatching(/^results.*Cannot read the run results.*monitor: Required/)]);
    writeFileSync(path, JSON.stringify({ manifest: run.manifest }));
    expect(await faults()).toEqual([expect.stringContaining("written by an older version of the kit")]);
  });
});
