import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { evaluationToJson } from "../../src/evaluate/evaluation-json";
import { withChecksum } from "../../src/files/checked-json";
import { readEvaluation } from "../../src/runs/baselines";
import { exampleEvaluation } from "./example-run";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "moco-baselines-"))));
afterEach(() => rmSync(folder, { recursive: true }));

describe("readEvaluation", () => {
  const json = evaluationToJson(exampleEvaluation(8));
  const write = (value: unknown) => {
    const path = join(folder, "pixels.json");
    writeFileSync(path, JSON.stringify(value));
    return path;
  };

  it("reads what was kept, with its checksum or, as recorded before, without", () => {
    expect(readEvaluation(write(withChecksum(json)))).toEqual(exampleEvaluation(8));
    expect(readEvaluation(write(json))).toEqual(exampleEvaluation(8));
  });

  it("refuses one that has changed, and has none where there is no file", () => {
    const changed = { ...withChecksum(json), knn: { ...(json as { knn: object }).knn, k: 21 } };
    expect(() => readEvaluation(write(changed))).toThrow("not the one that its checksum was made of");
    expect(readEvaluation(join(folder, "none.json"))).toBeUndefined();
  });
});
