import { describe, expect, it } from "vitest";
import { byMeasure, measuresOf, type ResampledMetrics } from "../../../src/detection/metric/detection-metrics";
import { transferNamed, transferNames } from "../../../src/experiments/transfer/transfer";
import { transferResult } from "../../../src/experiments/transfer/transfer-result";
import { exampleDetectorRun } from "../../runs/example-detector-run";

const transfer = transferNamed("smoke");

/** Figures of a run whose images all do the same. */
function metrics(value: number): ResampledMetrics {
  const figure = { value, drawn: new Float64Array(50).fill(value) };
  return byMeasure(measuresOf(transfer.rows[0]!.detection), () => figure);
}

const runs = (label: string, values: readonly number[]) =>
  values.map((value, seed) => ({
    run: exampleDetectorRun(transfer.rows.find((row) => row.label === label)!.detection, seed + 1),
    metrics: metrics(value),
  }));

/** Runs of some rows; the others have none. */
const result = (of: Readonly<Record<string, readonly number[]>>) =>
  transferResult(
    transfer,
    transfer.rows.map(({ label }) => runs(label, of[label] ?? [])),
  );

describe("transferResult", () => {
  it("has the mean over seeds, and no metrics where nothing was run", () => {
    const { rows } = result({ random: [0.2, 0.3, 0.4] });
    expect(rows.find(({ label }) => label === "random")!.metrics!.ap50.mean).toBeCloseTo(0.3, 12);
    expect(rows.find(({ label }) => label === "MoCo")!.metrics).toBeUndefined();
  });

  it("pairs rows by seed: seeds that differ much do not hide a difference that all have", () => {
    const { differences } = result({ random: [0.1, 0.3, 0.5], MoCo: [0.15, 0.35, 0.55] });
    expect(differences.map(({ row, reference }) => [row, reference])).toEqual([["MoCo", "random"]]);
    const { mean, low, high, verdict } = differences[0]!.measures.ap;
    for (const value of [mean, low, high]) expect(value).toBeCloseTo(0.05, 12);
    expect(verdict).toBe("agrees");
  });

  it("says what disagrees with the paper, what is not separated, and gives no verdict on one seed", () => {
    const verdicts = (of: Readonly<Record<string, readonly number[]>>) =>
      result(of).differences[0]!.measures.ap.verdict;
    expect(verdicts({ random: [0.3, 0.3, 0.3], MoCo: [0.2, 0.2, 0.2] })).toBe("disagrees");
    expect(verdicts({ random: [0.3, 0.3, 0.3], MoCo: [0.2, 0.4, 0.3] })).toBe("not separated");
    expect(verdicts({ random: [0.3], MoCo: [0.4] })).toBe("same direction; one seed: no verdict");
  });
});

describe("transferNamed", () => {
  it.each(transferNames)("%s trains all initializations by one recipe, and compares rows that are there", (name) => {
    const { rows, comparisons } = transferNamed(name);
    const recipes = rows.filter(({ purpose }) => purpose !== "control").map(({ detection }) => detection);
    expect(new Set(recipes).size).toBe(1);
    const labels = rows.map(({ label }) => label);
    for (const { row, reference } of comparisons) expect(labels).toEqual(expect.arrayContaining([row, reference]));
  });

  it("has the ablations that are carried to detection: the smallest and the largest K, and smaller m", () => {
    const { rows } = transferNamed("quick");
    expect(rows.map(({ pretraining }) => pretraining?.name ?? "none")).toEqual([
      "none",
      "quick-supervised",
      "quick-K1024-m0.99",
      "quick-end-to-end",
      "quick-memory-bank-K1024",
      "quick-K1024-m0",
      "quick-K1024-m0.9",
      "quick-K64-m0.99",
      "none",
    ]);
  });

  it("with an FPN compares the initializations of Table 5, by the signs of boxes and of masks", () => {
    const { rows, comparisons } = transferNamed("quick-fpn");
    expect(rows.map(({ label, detection }) => [label, detection.detector.masks])).toEqual([
      ["random", true],
      ["supervised", true],
      ["MoCo", true],
    ]);
    expect(
      comparisons.map(({ row, reference, published, publishedOfMasks }) => [
        row,
        reference,
        published,
        publishedOfMasks,
      ]),
    ).toEqual([
      ["supervised", "random", 7.9, 6.9],
      ["MoCo", "random", 7.5, 6.6],
      ["MoCo", "supervised", -0.4, -0.3],
    ]);
  });

  it.each(transferNames)("%s pre-trains encoders that fit the detector", (name) => {
    for (const { pretraining, detection } of transferNamed(name).rows) {
      if (pretraining === undefined) continue;
      const { architecture, width, stem } = pretraining.encoder;
      expect({ architecture, width, stem }).toEqual(detection.detector.backbone);
      expect(pretraining.imageSize === 64).toBe(stem === "imagenet");
    }
  });

  it("keeps the signs of Tables 2 and 3 beside those of linear probes", () => {
    const signs = transferNamed("quick").comparisons.map(({ row, reference, published }) => [
      row,
      reference,
      published,
    ]);
    expect(signs.slice(0, 5)).toEqual([
      ["supervised", "random", 21.1],
      ["MoCo", "random", 21.3],
      ["MoCo", "supervised", 0.2],
      ["end-to-end", "MoCo", -1.1],
      ["memory bank", "MoCo", -0.9],
    ]);
  });
});
