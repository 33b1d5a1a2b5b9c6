import { describe, expect, it } from "vitest";
import { byMeasure, measuresOf, type ResampledMetrics } from "../../../src/detection/metric/detection-metrics";
import { transferNamed, transferNames } from "../../../src/experiments/transfer/transfer";
import { transferResult } from "../../../src/experiments/transfer/transfer-result";
import { exampleDetectorRun } from "../../runs/example-detector-run";

const transfer = transferNamed("smoke");

/** Figures of a run whose images all do the same. */
function metrics(value: number): ResampledMetrics {
  const figure = { value, drawn: new Float64Array(50).fill(value) };
  return { ...byMeasure(measuresOf(transfer.rows[0]!.detection), () => figure), categoryAp: [figure, figure] };
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
    expect(differences[0]!.measures.objectAp.verdict).toBe("not in the paper");
  });

  it("has an interval of each category's AP, over the draws that hold an object of it", () => {
    const [random] = runs("random", [0.4]);
    const rare = { value: 0.4, drawn: Float64Array.of(0.3, NaN, 0.5) };
    const absent = { value: NaN, drawn: Float64Array.of(NaN, NaN, NaN) };
    const categories = { ...random!, metrics: { ...random!.metrics, categoryAp: [rare, absent] } };
    const { rows } = transferResult(
      transfer,
      transfer.rows.map(({ label }) => (label === "random" ? [categories] : [])),
    );
    const [even, odd] = rows[0]!.categories;
    expect(even).toMatchObject({ name: "even", maskAp: undefined });
    // Draws of 0.3 and 0.5 alone: their quantiles of 2.5 and 97.5 %.
    expect([even!.ap!.mean, even!.ap!.low, even!.ap!.high].map((one) => one.toFixed(3))).toEqual([
      "0.400",
      "0.305",
      "0.495",
    ]);
    expect(odd!.ap).toBeUndefined();
    expect(rows[1]!.categories).toEqual([]);
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
      comparisons.map(({ row, reference, published: { ap, ap75, maskAp, objectAp } }) => [
        row,
        reference,
        ap,
        maskAp,
        ap75,
        objectAp,
      ]),
    ).toEqual([
      ["supervised", "random", 7.9, 6.9, 9.5, undefined],
      ["MoCo", "random", 7.5, 6.6, 8.8, undefined],
      ["MoCo", "supervised", -0.4, -0.3, -0.7, undefined],
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

  it("keeps the signs of Tables 2 and 3, measure by measure, beside those of linear probes", () => {
    const { comparisons } = transferNamed("quick");
    const printed = comparisons.slice(0, 5).map(({ row, reference, published }) => [row, reference, published]);
    expect(printed).toEqual([
      ["supervised", "random", { ap50: 21.1, ap: 19.7, ap75: 25.7 }],
      ["MoCo", "random", { ap50: 21.3, ap: 22.1, ap75: 29.5 }],
      ["MoCo", "supervised", { ap50: 0.2, ap: 2.4, ap75: 3.8 }],
      ["end-to-end", "MoCo", { ap50: -1.1, ap: -1.3, ap75: -2.3 }],
      ["memory bank", "MoCo", { ap50: -0.9, ap: -1, ap75: -2 }],
    ]);
    for (const { published, source } of comparisons.slice(5)) {
      expect(source).toContain("linear probe");
      expect(Object.values(published).every((difference) => difference < 0)).toBe(true);
    }
  });
});
