import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { withChecksum } from "../../../src/files/checked-json";
import { tf } from "../../../src/engine/tf";
import {
  observeStaleness,
  stalenessPath,
  type StalenessRecord,
} from "../../../src/experiments/studies/observe-staleness";
import {
  commonAge,
  printDrift,
  stalenessCells,
  stalenessStudy,
  type StalenessCell,
} from "../../../src/experiments/studies/staleness";
import type { DictionaryRecipe } from "../../../src/experiments/studies/staleness-reading";
import { maskedRows, stalenessFigures, stalenessRows } from "../../../src/experiments/studies/staleness-report";
import { presetNamed } from "../../../src/recipes/presets";
import { InterruptedError } from "../../../src/errors";
import { pretrain } from "../../../src/train/pretrain";
import { parseRecipe } from "../../../src/train/recipe";
import { recipeHash } from "../../../src/train/recipe-hash";
import { tinyData, tinyRecipe } from "../../train/tiny";

const root = mkdtempSync(join(tmpdir(), "moco-staleness-study-"));
afterAll(() => rmSync(root, { recursive: true }));

const data = tinyData();
const axes = { ages: [0, 1, 2], readings: 3, masked: [0, 0.5] };
const recipe = tinyRecipe() as DictionaryRecipe; // 6 steps, a queue of 3 batches
const path = stalenessPath(recipe, 1, data.checksum, axes, root);

describe("observeStaleness", () => {
  it("begins anew after an interruption, and leaves nothing half done behind", async () => {
    let asked = 0;
    const stopRequested = () => ++asked === 4;
    await expect(observeStaleness(recipe, 1, data, axes, { stopRequested, root })).rejects.toThrow(InterruptedError);
    expect(readdirSync(join(root, "staleness"))).toEqual([]);
  });

  it("trains as if nobody looked, and reads evenly over the training", async () => {
    const before = tf.memory().numTensors;
    const { losses, readings } = await observeStaleness(recipe, 1, data, axes, { root });
    expect(tf.memory().numTensors).toBe(before);
    const alone: number[] = [];
    for await (const { loss } of pretrain(recipe, data, { seed: 1, directory: join(root, "alone") })) alone.push(loss);
    expect(losses).toEqual(alone);
    expect(readings.map(({ step }) => step)).toEqual([2, 4, 6]);
    // After two steps the queue still holds random keys.
    expect(readings.map(({ masked }) => masked.length)).toEqual([0, 2, 2]);
  });

  it("looks a finished training up", async () => {
    const onProgress = () => expect.unreachable("nothing is trained");
    const again = await observeStaleness(recipe, 1, data, axes, { root, onProgress });
    expect(again.losses).toHaveLength(6);
    expect(readdirSync(join(root, "staleness"))).toHaveLength(1);
  });

  it("keeps other seeds, data and axes apart", () => {
    const paths = [
      path,
      stalenessPath(recipe, 2, data.checksum, axes, root),
      stalenessPath(recipe, 1, "other", axes, root),
      stalenessPath(recipe, 1, data.checksum, { ...axes, readings: 4 }, root),
      stalenessPath({ ...recipe, epochs: 3 }, 1, data.checksum, axes, root),
    ];
    expect(new Set(paths).size).toBe(5);
  });

  it("trains again where the record is damaged, and says so in one line", async () => {
    const { losses } = await observeStaleness(recipe, 1, data, axes, { root });
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    for (const [content, problem] of [
      ["{", "it is not JSON"],
      ['{"losses":[],"readings":1,"diverged":null}', "it has no checksum"],
      [JSON.stringify(withChecksum({ losses: [], readings: 1, diverged: null })), "readings: Expected array"],
    ] as const) {
      writeFileSync(path, content);
      warn.mockClear();
      expect((await observeStaleness(recipe, 1, data, axes, { root })).losses).toEqual(losses);
      expect(warn.mock.calls).toEqual([[expect.stringContaining(`Cannot read the record ${path}: ${problem}`)]]);
    }
    warn.mockRestore();
  });
});

describe("stalenessCells", () => {
  it("has a queue for each m and a memory bank for each momentum of its entries", () => {
    const cells = stalenessCells(presetNamed("quick"), { momenta: [0, 0.9, 0.99], bankMomenta: [0, 0.5], epochs: 4 });
    expect(cells.map(({ label }) => label)).toEqual([
      "queue, m = 0",
      "queue, m = 0.9",
      "queue, m = 0.99",
      "memory bank, keeps 0",
      "memory bank, keeps 0.5",
    ]);
    for (const cell of cells) {
      expect(() => parseRecipe(cell.recipe)).not.toThrow();
      expect(cell.recipe).toMatchObject({ epochs: 4, method: { momentum: cell.momentum } });
    }
    expect(new Set(cells.map((cell) => recipeHash(cell.recipe))).size).toBe(5);
  });
});

describe("printDrift", () => {
  it("gives two digits, and nothing for what float32 cannot tell from 0", () => {
    expect([0.29123, 0.00029123, 5e-8, -5e-8].map(printDrift)).toEqual(["0.29", "0.00029", "0", "0"]);
  });
});

describe("stalenessStudy", () => {
  const cells: StalenessCell[] = [
    { label: "queue, m = 0.9", dictionary: "queue", momentum: 0.9, recipe },
    { label: "memory bank, keeps 0", dictionary: "memory bank", momentum: 0, recipe },
  ];
  /** Four steps; only what was read at the last two counts. */
  const record = (scale: number, masked: boolean): StalenessRecord => ({
    losses: [1, 2, 3, 5],
    readings: [1, 2, 3, 4].map((step) => ({
      step,
      drift: [
        { age: 1, drift: step < 3 ? 9 : scale * step, keys: step },
        { age: step < 3 ? 7 : 2 * scale + 1, drift: 1, keys: 8 },
      ],
      masked: masked
        ? [
            { share: 0, oldest: 0.5, random: 0.5 },
            { share: 0.5, oldest: step < 3 ? 9 : 0.5 + step / 100, random: 0.6 },
          ]
        : [],
    })),
    diverged: null,
  });
  const study = () =>
    stalenessStudy(cells, ({ dictionary }) =>
      Promise.resolve(dictionary === "queue" ? record(0.01, true) : record(0.1, false)),
    );

  it("takes means over the second half of training, by the number of keys", async () => {
    const { rows } = await study();
    expect(rows[0]!.drift.second[0]!.drift).toBeCloseTo((0.03 * 3 + 0.04 * 4) / 7, 12);
    expect(rows[0]!.masked[1]!.oldest).toBeCloseTo(0.535, 12);
    // Two readings that differ by 0.01: a standard deviation of 0.01 / sqrt(2).
    expect(rows[0]!.masked[1]!.error).toBeCloseTo(0.01 / 2, 12);
    expect(rows[1]!.masked).toEqual([]);
  });

  it("takes the variance of the loss from its changes between steps", async () => {
    const record: StalenessRecord = {
      losses: [1, 3, 5, 7, 7, 13],
      readings: [3, 6].map((step) => ({ step, drift: [], masked: [] })),
      diverged: null,
    };
    const { rows } = await stalenessStudy(cells.slice(0, 1), () => Promise.resolve(record));
    expect(rows[0]!.lossVariance).toEqual([
      { step: 3, variance: 2 },
      { step: 6, variance: (2 + 0 + 18) / 3 },
    ]);
  });

  it("compares all dictionaries at the greatest age that all of them have", async () => {
    const { rows, finding } = await study();
    expect(commonAge(rows)).toBe(1);
    expect(finding).toBe(
      "After 1 step keys of the queue have drifted by 9 (m = 0.9) in the first half of training; by 0.036 (m = 0.9) in the second " +
        "half of training. After 1 step entries of the memory bank have drifted by 9 (keeps 0) in the first half of training; by " +
        "0.36 (keeps 0) in the second half of training. The pretext accuracy of the second half is 50.0 % (m = 0.9). Without the " +
        "older half of the queue it changes at m = 0.9 by +3.5 points, without as many random keys by +10.0, a difference of " +
        "−6.5 ± 0.5: old keys are easier negatives than other keys. One seed.",
    );
  });

  it("says whether drift goes by m as section 3.2 argues, in each half of training", async () => {
    const queues = [0, 0.9, 0.99].map((momentum) => ({ ...cells[0]!, momentum, label: `queue, m = ${momentum}` }));
    /** Less with a larger m at first, more at last. */
    const of = ({ momentum }: StalenessCell): StalenessRecord => ({
      losses: [1, 2],
      readings: [1, 2].map((step) => ({
        step,
        drift: [{ age: 1, drift: step === 1 ? 1 - momentum : 0.1 + momentum, keys: 8 }],
        masked: [],
      })),
      diverged: null,
    });
    const { finding } = await stalenessStudy(queues, (cell) => Promise.resolve(of(cell)));
    expect(finding).toContain(
      "in the first half of training, less with a larger m, as section 3.2 argues; by 0.1 (m = 0), ",
    );
    expect(finding).toContain("in the second half of training, more with a larger m, against section 3.2.");
  });

  it("gives tables and figures of every dictionary", async () => {
    const result = await study();
    expect(stalenessRows(result).map((row) => [row["half of training"], row["drift, 1"]])).toEqual([
      ["first", "9"],
      ["first", "9"],
      ["second", "0.036"],
      ["second", "0.36"],
    ]);
    expect(maskedRows(result)).toHaveLength(2);
    expect(maskedRows(result)[1]).toMatchObject({
      masked: "50.0 %",
      "difference in points ± standard error": "−6.5 ± 0.5",
    });
    const figures = stalenessFigures(result);
    expect(figures.map(({ data }) => data.length)).toEqual([2, 2, 2, 2]);
  });
});
