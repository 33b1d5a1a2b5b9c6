import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withChecksum } from "../../src/files/checked-json";
import type { Estimand } from "../../src/claims/claim";
import { storedValues, type ClaimStores } from "../../src/claims/stored-values";
import { detectorRunName, runName } from "../../src/runs/run-name";
import { writeRunRecord } from "../../src/runs/run-record";
import { ownRuns } from "../../src/runs/run-store";
import { ownTransferRuns } from "../../src/experiments/transfer/stored-transfer";
import { momentumAblation } from "../../src/experiments/ablation/momentum";
import { presetNamed } from "../../src/recipes/presets";
import { queueSizeAblation } from "../../src/experiments/ablation/queue-size";
import type { RunRecord } from "../../src/runs/run-record";
import { transferNamed } from "../../src/experiments/transfer/transfer";
import { exampleDetectorRun } from "../runs/example-detector-run";
import { exampleRun } from "../runs/example-run";

const preset = presetNamed("smoke");
const sizes = queueSizeAblation(preset);
const transfer = transferNamed("smoke");

let folder: string;
let stores: ClaimStores;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "moco-claims-"));
  stores = {
    ablation: (id) => ({ "queue-size": sizes, momentum: momentumAblation(preset) })[id as string],
    runs: ownRuns(folder),
    detectors: () => ownTransferRuns(folder),
  };
});
afterEach(() => rmSync(folder, { recursive: true }));

const find = (estimand: Estimand) => storedValues(stores)(estimand);
const ofSizes = (...rows: string[]): Estimand => ({ kind: "ablation", table: "queue-size", metric: "linear", rows });
const ofDetectors = (metric: "ap" | "ap50" | "maskAp", ...rows: string[]): Estimand => ({
  ...{ kind: "transfer", table: "smoke", metric, rows },
});

function store(cell: number, seed: number, right: number, change: (run: RunRecord) => RunRecord = (run) => run): void {
  const { recipe } = sizes.cells[cell]!;
  const run = change(exampleRun(recipe, seed, right));
  writeRunRecord(stores.runs.place(runName(recipe, run.manifest.data.checksum, seed)), run);
}

describe("storedValues", () => {
  it("gives percent by row and seed, for the seeds that all rows have", () => {
    for (const [seed, right] of [10, 12, 14].entries()) store(0, seed + 1, right);
    for (const [seed, right] of [20, 30].entries()) store(1, seed + 1, right);
    expect(find(ofSizes("K = 128", "K = 64"))).toEqual({
      values: [
        [50, 75],
        [25, 30],
      ],
    });
  });

  it("says which row is not run, or not in the table", () => {
    store(0, 1, 10);
    expect(find(ofSizes("K = 64", "K = 128"))).toEqual({ missing: "K = 128 is not run" });
    expect(find(ofSizes("K = 64", "K = 9"))).toEqual({ missing: "the preset has no row K = 9" });
    expect(find({ ...ofSizes("MoCo, K = 64"), table: "mechanisms" } as Estimand)).toEqual({
      missing: "the learning rates of the mechanisms are not chosen yet",
    });
  });

  it("has no value for a training that diverged", () => {
    store(0, 1, 10);
    store(1, 1, 10);
    store(1, 2, 10, (run) => ({ ...run, evaluation: undefined, diverged: "the loss is NaN at step 9" }));
    expect(find(ofSizes("K = 64", "K = 128"))).toEqual({ missing: "K = 128, seed 2: the loss is NaN at step 9" });
  });

  it("does not judge a momentum by a training that is too short for it", () => {
    const [zero, high] = momentumAblation(preset).cells;
    for (const { recipe } of [zero!, high!]) {
      const run = exampleRun(recipe, 1, 20);
      writeRunRecord(stores.runs.place(runName(recipe, run.manifest.data.checksum, 1)), run);
    }
    const rows = ["m = 0.99", "m = 0"];
    expect(find({ kind: "ablation", table: "momentum", metric: "linear", rows })).toEqual({
      missing:
        "m = 0.99, seed 1: its key encoder averages over 100 steps, more than a third of the 100 that it is trained for",
    });
  });

  it("reads the metrics of detectors", () => {
    const [first, second] = transfer.rows;
    for (const row of [first!, second!]) {
      const { pretraining, detection } = row;
      const run = pretraining && exampleRun(pretraining, 1, 20);
      if (run) writeRunRecord(stores.runs.place(runName(pretraining, run.manifest.data.checksum, 1)), run);
      const origin = { encoder: run?.manifest.encoder ?? null, data: "0123abcd" };
      const path = join(folder, detectorRunName(detection, origin, 1), "run.json");
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, JSON.stringify(withChecksum(exampleDetectorRun(row.detection, 1))));
    }
    expect(find(ofDetectors("ap50", first!.label, second!.label))).toEqual({ values: [[50], [50]] });
    expect(find(ofDetectors("maskAp", first!.label, second!.label))).toEqual({
      missing: `${first!.label}, seed 1: it has no maskAp`,
    });
    expect(find(ofDetectors("ap", first!.label, "MoCo"))).toEqual({ missing: "MoCo is not run" });
  });

  it("refuses rows that were read on different images", () => {
    store(0, 1, 10);
    store(1, 1, 10, (run) => ({
      ...run,
      manifest: { ...run.manifest, data: { ...run.manifest.data, checksum: "4567cdef" } },
    }));
    expect(() => find(ofSizes("K = 64", "K = 128"))).toThrow(
      "Cannot compare K = 64 and K = 128: all must be read on the same images, current checksums are 0123abcd, 4567cdef",
    );
  });
});
