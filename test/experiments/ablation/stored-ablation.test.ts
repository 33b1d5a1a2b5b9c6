import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeCheckedJson } from "../../../src/files/checked-json";
import { InputError } from "../../../src/errors";
import { evaluationToJson } from "../../../src/evaluate/evaluation-json";
import { pixelsName, randomNetworkNames } from "../../../src/runs/baselines";
import { runName } from "../../../src/runs/run-name";
import { writeRunRecord } from "../../../src/runs/run-record";
import { ownRuns, recordedRuns, type RunStore } from "../../../src/runs/run-store";
import { recordRuns, storedAblation } from "../../../src/experiments/ablation/stored-ablation";
import { momentumAblation } from "../../../src/experiments/ablation/momentum";
import { presetNamed } from "../../../src/recipes/presets";
import { queueSizeAblation } from "../../../src/experiments/ablation/queue-size";
import { exampleEvaluation, exampleRun } from "../../runs/example-run";

const preset = presetNamed("smoke");
const ablation = momentumAblation(preset);
const [zero, high] = ablation.cells;

let folder: string;
let store: RunStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "moco-store-"));
  store = ownRuns(join(folder, "runs"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function storeRun(cell: typeof zero, seed: number, right: number): void {
  const run = exampleRun(cell!.recipe, seed, right);
  writeRunRecord(store.place(runName(cell!.recipe, run.manifest.data.checksum, seed)), run);
}

function storeBaselines(): void {
  for (const name of [...randomNetworkNames("0123abcd", preset), pixelsName("0123abcd", preset)]) {
    const path = store.baseline(name);
    writeCheckedJson(path, { origin: null, evaluation: evaluationToJson(exampleEvaluation(8)) });
  }
}

describe("a stored run", () => {
  it("is read again, and refused by its name when it was changed or cut", () => {
    storeRun(zero, 1, 8);
    const path = store.run(zero!.recipe, 1)!;
    const text = readFileSync(path, "utf8");
    const read = () => storedAblation(ablation, preset, store);
    expect(read()).toBeDefined();
    writeFileSync(path, text.replace('"seed":1', '"seed":3'));
    expect(read).toThrow(
      `Cannot read the run ${path}: its content is not the one that its checksum was made of. The command`,
    );
    writeFileSync(path, text.slice(0, text.length >> 1));
    expect(read).toThrow(`Cannot read the run ${path}: it is not JSON. The command that trained it evaluates it again`);
    expect(read).toThrow(InputError);
    writeFileSync(path, text.replace(/,"sha256":"\w+"/, ""));
    expect(read).toThrow(`Cannot read the run ${path}: it has no checksum`);
  });
});

describe("storedAblation", () => {
  it("is undefined where nothing has been run", () => {
    expect(storedAblation(ablation, preset, store)).toBeUndefined();
  });

  it("says of a cell without runs that it was not run yet, and compares nothing with a missing reference", () => {
    storeRun(zero, 1, 12);
    storeBaselines();
    const result = storedAblation(ablation, preset, store)!;
    expect(ablation.referenceLabel).toBe(high!.label);
    expect(result.rows[1]).toMatchObject({ seeds: 0, metrics: {}, agreement: {}, failure: "not run yet" });
    expect(result.rows[0]).toMatchObject({ seeds: 1, agreement: {} });
    expect(result.rows[0]!.metrics.knn).toMatchObject({ mean: 12 / 40, kind: "test sampling" });
  });

  it("leaves out the seeds that were not asked for", () => {
    for (const seed of [1, 2, 3]) {
      storeRun(zero, seed, 10 + seed);
      storeRun(high, seed, 30);
    }
    storeBaselines();
    expect(storedAblation(ablation, preset, store)!.rows.map(({ seeds }) => seeds)).toEqual([3, 3]);
    const { rows } = storedAblation(ablation, preset, store, 1)!;
    expect(rows.map(({ seeds }) => seeds)).toEqual([1, 1]);
    expect(rows[0]!.metrics.knn!.mean).toBe(11 / 40);
  });

  it("judges no failure while the random networks are not evaluated, and leaves the baselines' numbers out", () => {
    storeRun(high, 1, 30);
    const { rows, baselines } = storedAblation(ablation, preset, store)!;
    expect(rows[1]!.failure).toBe("not judged yet: the random networks are not evaluated");
    expect(baselines.randomNetworks).toEqual([{ label: "random network, no draws", names: [], metrics: {} }]);
    expect(baselines.pixels).toEqual({ label: "pixels", names: [], metrics: {} });
  });

  it("takes the seeds that all cells with runs have", () => {
    for (const seed of [1, 2, 3]) storeRun(high, seed, 30);
    for (const seed of [1, 2]) storeRun(zero, seed, 12);
    storeRun(zero, 4, 12); // seed 3 is missing
    storeBaselines();
    const { rows } = storedAblation(ablation, preset, store)!;
    expect(rows.map(({ runs }) => runs.map(({ manifest }) => manifest.seed))).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(rows[0]!.agreement.knn).toMatchObject({ verdict: "same direction; two seeds: no verdict" });
    expect(rows[0]!.agreement.knn!.difference).toBeCloseTo((12 - 30) / 40, 12);
    expect(rows[1]!.failure).toBeUndefined();
  });
});

describe("runs of one recipe on other images", () => {
  const ofData = (checksum: string) => {
    const run = exampleRun(zero!.recipe, 1, 12);
    const manifest = { ...run.manifest, data: { ...run.manifest.data, checksum } };
    writeRunRecord(store.place(runName(zero!.recipe, checksum, 1)), { ...run, manifest });
  };

  it("are not taken for each other: both are named, and the user says which is meant", () => {
    ofData("a".repeat(64));
    expect(storedAblation(ablation, preset, store)!.rows[0]!.seeds).toBe(1);
    ofData("b".repeat(64));
    expect(() => storedAblation(ablation, preset, store)).toThrow(InputError);
    expect(() => storedAblation(ablation, preset, store)).toThrow(/-on-aaaaaaaa-seed1[^]*-on-bbbbbbbb-seed1/);
  });

  it("do not make one table", () => {
    ofData("a".repeat(64));
    storeRun(high, 1, 12);
    expect(() => storedAblation(ablation, preset, store)).toThrow(/trained on different images/);
  });
});

describe("recordRuns", () => {
  it("copies runs and baselines, from which the same table comes", () => {
    for (const cell of ablation.cells) for (const seed of [1, 2]) storeRun(cell, seed, 20 + seed);
    storeBaselines();
    const recorded = recordedRuns(preset, join(folder, "results"));
    expect(recordRuns(preset, [ablation], 2, store, recorded)).toBe(4 + preset.randomNetworks + 1);
    expect(storedAblation(ablation, preset, recorded)).toEqual(storedAblation(ablation, preset, store));
  });

  it("copies nothing while a run is missing, and names it", () => {
    storeRun(zero, 1, 12);
    storeBaselines();
    const recorded = recordedRuns(preset, join(folder, "results"));
    const record = () => recordRuns(preset, [ablation, queueSizeAblation(preset)], 1, store, recorded);
    expect(record).toThrow(InputError);
    expect(record).toThrow(/run moco reproduce --preset smoke --seeds 1 first[^]*smoke-K64-m0\.99-\w+, seed 1/);
    expect(storedAblation(ablation, preset, recorded)).toBeUndefined();
  });
});
