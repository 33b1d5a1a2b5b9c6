import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { evaluationToJson } from "../../src/evaluate/evaluation-json";
import { withChecksum } from "../../src/files/checked-json";
import { readBaseline } from "../../src/runs/baselines";
import { exampleEvaluation } from "./example-run";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "moco-baselines-"))));
afterEach(() => rmSync(folder, { recursive: true }));

describe("readBaseline", () => {
  const evaluation = evaluationToJson(exampleEvaluation(8));
  const write = (value: unknown) => {
    const path = join(folder, "pixels.json");
    writeFileSync(path, JSON.stringify(value));
    return path;
  };

  it("reads what was kept", () => {
    const path = write(withChecksum({ origin: null, evaluation }));
    expect(readBaseline(path)).toEqual({ origin: null, evaluation: exampleEvaluation(8) });
  });

  it("refuses one that has changed or has no checksum, and has none where there is no file", () => {
    const { sha256 } = withChecksum({ origin: null, evaluation });
    const changed = { ...evaluation, knn: { ...(evaluation as { knn: object }).knn, k: 21 } };
    expect(() => readBaseline(write({ origin: null, evaluation: changed, sha256 }))).toThrow(
      "not the one that its checksum was made of",
    );
    expect(() => readBaseline(write({ origin: null, evaluation }))).toThrow("it has no checksum");
    expect(readBaseline(join(folder, "none.json"))).toBeUndefined();
  });
});
