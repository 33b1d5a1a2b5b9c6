import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readLinearRun } from "../../src/runs/run-linear";
import { resultsFolder } from "../../src/runs/run-name";
import { meanOf } from "../../src/statistics/mean";

const folder = join(resultsFolder, "cifar10-jpeg");
const recorded = readdirSync(folder).filter((name) => name.startsWith("linear-"));

describe("readLinearRun", () => {
  it.each(recorded)("reads the recorded run %s, whose accuracy is that of its last epoch and of its images", (name) => {
    const { manifest, epochs, topOne, topFive, correct } = readLinearRun(join(folder, name))!;
    expect(epochs).toHaveLength(manifest.recipe.epochs);
    expect(epochs.at(-1)).toMatchObject({ topOne: topOne.mean, topFive });
    expect(correct).toHaveLength(manifest.data.classifiedImages);
    expect(meanOf([...correct].map(Number))).toBeCloseTo(topOne.mean, 12);
    expect(topOne.low).toBeLessThan(topOne.mean);
    expect(topOne.high).toBeGreaterThan(topOne.mean);
  });

  it("refuses a file that was changed, and finds none where there is none", () => {
    const directory = mkdtempSync(join(tmpdir(), "moco-run-linear-"));
    const path = join(directory, "linear.json");
    expect(readLinearRun(path)).toBeUndefined();
    const text = readFileSync(join(folder, recorded[0]!), "utf8");
    writeFileSync(path, text.replace(/"topFive":0\.\d+/, '"topFive":1'));
    expect(() => readLinearRun(path)).toThrow("its content is not the one that its checksum was made of");
    rmSync(directory, { recursive: true });
  });
});
