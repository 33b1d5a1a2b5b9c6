import { describe, expect, it } from "vitest";
import { ablationFigure } from "../../../src/experiments/ablation/ablation-charts";
import { encoderRows } from "../../../src/experiments/linear-evaluation/encoder-rows";
import {
  accuracyNumbers,
  accuracyRows,
  agreementRows,
  footnotes,
  queueRows,
} from "../../../src/experiments/ablation/ablation-rows";
import { resultTable } from "../../../src/report/terminal";
import type { Ablation } from "../../../src/experiments/ablation/ablation";
import { encoderComparison } from "../../../src/experiments/linear-evaluation/encoder-comparison";
import { linearEvaluation } from "../../../src/experiments/linear-evaluation/linear-evaluation";
import { momentumAblation } from "../../../src/experiments/ablation/momentum";
import { presetNamed } from "../../../src/recipes/presets";
import { queueSizeAblation } from "../../../src/experiments/ablation/queue-size";
import { ablationResult, type AblationResult } from "../../../src/experiments/ablation/ablation-result";
import { trainingLengths } from "../../../src/experiments/ablation/training-length";
import { exampleBaselines, exampleRun } from "../../runs/example-run";

const { encoder } = presetNamed("quick").base;
const quick = momentumAblation(presetNamed("quick"));
const baselines = exampleBaselines(encoder, [8, 8], 10);
/** m = 0, 0.9, 0.99, 0.999, each right on four images more than the one before. */
const result = resultOf(1);
const empty = ablationResult(
  quick,
  quick.cells.map(() => []),
  { randomNetworks: [], pixels: undefined },
);

function resultOf(seeds: number): AblationResult {
  const runs = quick.cells.map(({ recipe }, index) =>
    Array.from({ length: seeds }, (_, seed) => exampleRun(recipe, seed + 1, 20 + 4 * index + (seed % 2))),
  );
  return ablationResult(quick, runs, baselines);
}

/** As `result`, where m = 0, the first row, diverged. */
function firstDiverged(seeds: number): AblationResult {
  const trained = resultOf(seeds).rows.map(({ runs }) => runs);
  const failed = trained[0]!.map((run) => ({ ...run, evaluation: undefined, diverged: "the loss is not a number" }));
  return ablationResult(quick, [failed, ...trained.slice(1)], baselines);
}

describe("accuracyRows", () => {
  it("puts what is claimed and what is published beside the reproduced numbers", () => {
    const rows = accuracyRows(result).slice(0, 4);
    expect(rows.map(({ m, claimed, published }) => [m, claimed, published])).toEqual([
      ["m = 0", "–", "fail (K = 4,096)"],
      ["m = 0.9", "55.2", "55.2 (K = 4,096)"],
      ["m = 0.99", "–", "57.8 (K = 4,096)"],
      ["m = 0.999", "60.6", "59.0 (K = 4,096)"],
    ]);
    expect(rows.map((row) => row["state"])).toEqual(["trained", "trained", "trained", "trained"]);
  });

  it("gives each accuracy its interval, in percent", () => {
    const cell = accuracyRows(result)[0]!["kNN"]!;
    const [, mean, low, high] = /^(\d+\.\d) \[(\d+\.\d), (\d+\.\d)\]$/.exec(cell)!.map(Number);
    expect(mean).toBe(50);
    expect(low).toBeLessThan(50);
    expect(high).toBeGreaterThan(50);
  });

  it("puts the random network and the pixels into the same columns", () => {
    const rows = accuracyRows(result);
    const columns = Object.keys(rows[0]!);
    for (const row of rows) expect(Object.keys(row)).toEqual(columns);
    const [random, pixels] = rows.slice(4, 6);
    expect(random).toMatchObject({ m: "random network, 2 draws", state: "baseline" });
    expect(pixels).toMatchObject({ m: "pixels", state: "baseline" });
    for (const measure of ["linear probe", "logistic regression", "kNN", "retrieval"]) {
      expect(random![measure]).toMatch(/^20\.0 \[/);
      expect(pixels![measure]).toMatch(/^25\.0 \[/);
    }
  });

  it("ends with the rows that stand as published, without numbers of ours", () => {
    expect(accuracyRows(result).at(-1)).toEqual({
      m: "m = 0.9999",
      claimed: "–",
      published: "58.9",
      "linear probe": "–",
      "logistic regression": "–",
      kNN: "–",
      retrieval: "–",
      "loss, last fifth": "–",
      state: "as published",
    });
  });

  it("has a dash where the paper has no such row", () => {
    const queueSizes = queueSizeAblation(presetNamed("quick"));
    const rows = accuracyRows(
      ablationResult(
        queueSizes,
        queueSizes.cells.map(() => []),
        baselines,
      ),
    );
    expect(rows.find(({ K }) => K === "K = 1024")).toMatchObject({ claimed: "rises with K", published: "–" });
    expect(rows.find(({ K }) => K === "K = 2048")).toMatchObject({
      published: "59.0 (K = 4,096)",
      state: "not run yet",
    });
  });
});

describe("Table 1", () => {
  const encoders = encoderComparison(presetNamed("quick"));
  const methods = linearEvaluation(presetNamed("quick"));
  const trained = (ablation: Ablation) =>
    ablationResult(
      ablation,
      ablation.cells.map(({ recipe }) => [exampleRun(recipe, 1, 30)]),
      baselines,
    );

  it("counts the parameters of each encoder beside the printed ones", () => {
    const rows = accuracyRows(trained(encoders));
    const parameters: unknown = Object.fromEntries(rows.map((row) => [row["encoder"], row["parameters"]]));
    // 373,192, 729,160, 1,479,056 and 700,176 by PyTorch's modules of these widths.
    expect(parameters).toMatchObject({
      "ResNet-50, width 8": "0.37 M",
      "ResNeXt-50 32x8d, width 8": "0.73 M",
      "ResNet-50, width 16": "1.48 M",
      "ResNet-18, width 16": "0.70 M",
      pixels: "–",
      "MoCo, R50w4×": "375 M",
    });
    const columns = Object.keys(rows[0]!);
    for (const row of rows) expect(Object.keys(row)).toEqual(columns);
    expect(Object.keys(accuracyRows(result)[0]!)).not.toContain("parameters");
  });

  it("counts the parameters of the paper's own encoders beside the printed ones", () => {
    expect(encoderRows().map((row) => Object.values(row))).toEqual([
      ["R50", "ResNet-50, width 64", "23,508,032", "24 M", "60.6"],
      ["RX50", "ResNeXt-50 32x8d, width 64", "45,972,800", "46 M", "63.9"],
      ["R50w2×", "ResNet-50, width 128", "93,907,072", "94 M", "65.4"],
      ["R50w4×", "ResNet-50, width 256", "375,378,176", "375 M", "68.6"],
    ]);
  });

  it("gives every width, every length, and one note for all rows that were not run for one reason", () => {
    const notes = footnotes(trained(methods)).join("\n");
    expect(notes).toContain("encoder as named, else ResNet-50, Table 1. Differences are to MoCo.");
    expect(notes).toContain("Each method has a loss of its own");
    expect(notes).toMatch(
      /Exemplar, R50w3×; RelativePosition, R50w2×; .*BigBiGAN, Rv50w4× stand as published: another/,
    );
    expect(footnotes(trained(encoders)).join("\n")).toContain(
      "resnet50 of width 8, resnext50-32x8d of width 8, resnet50 of width 16 or resnet18 of width 16 at 20 px, 5 epochs",
    );
    const lengths = footnotes(trained(trainingLengths(presetNamed("quick")))).join("\n");
    expect(lengths).toContain("resnet18 of width 16 at 20 px, 1, 3, 5 or 10 epochs, 1 seed;");
    expect(lengths).not.toContain("a loss of its own");
  });

  it("says that the random network is not trained", () => {
    const states = accuracyRows(trained(methods)).map(({ method, state }) => [method, state]);
    expect(states.slice(0, 3)).toEqual([
      ["random", "not trained"],
      ["supervised", "trained"],
      ["MoCo", "trained"],
    ]);
  });

  it("draws methods and encoders as points without lines", () => {
    const [trace] = ablationFigure(trained(methods)).data;
    expect(trace).toMatchObject({ mode: "markers", x: methods.cells.map(({ label }) => label) });
    expect(ablationFigure(result).data[0]).toMatchObject({ mode: "lines+markers", x: ["0", "0.9", "0.99", "0.999"] });
  });
});

describe("agreementRows", () => {
  it("compares every row but the reference by every measure", () => {
    const rows = agreementRows(result);
    expect(rows).toHaveLength(3 * 4);
    expect(rows.some(({ m }) => m === "m = 0.99")).toBe(false);
    expect(rows[0]).toMatchObject({
      m: "m = 0",
      measure: "linear probe",
      interval: "test sampling",
      "sign and interval": "same direction; one seed: no verdict",
    });
    expect(rows[0]!["difference in points"]).toMatch(/^−20\.0 \[−\d+\.\d, −\d+\.\d\]$/);
  });
});

describe("accuracyNumbers", () => {
  it("has a line a row and measure, baselines too, in percent", () => {
    const numbers = accuracyNumbers(result);
    expect(numbers).toHaveLength((4 + 2) * 4);
    expect(numbers[0]).toMatchObject({ m: "m = 0", measure: "linear probe", accuracy: 50, seeds: 1 });
    expect(numbers.at(-1)).toMatchObject({ m: "pixels", measure: "retrieval", accuracy: 25, seeds: 0 });
  });
});

describe("queueRows", () => {
  it("says what the queue holds besides true negatives", () => {
    expect(queueRows(result)[0]).toEqual({
      m: "m = 0",
      "K / N": "0.446",
      "own image among the keys": "1.00 %",
      "its twin": "2.00 %",
      "its class": "20.00 %",
    });
  });
});

describe("footnotes", () => {
  it("say the data, the network, the seeds, the kind of interval and why rows were not run", () => {
    const notes = footnotes(result).join("\n");
    expect(notes).toContain(
      "Reproduced on emoji (2298 training images), resnet18 of width 16 at 20 px, 50 epochs, 1 seed;",
    );
    expect(notes).toContain("intervals of test sampling");
    expect(notes).toContain("Published: ImageNet linear top-1, ResNet-50, section 4.1");
    expect(notes).toContain("Differences are to m = 0.99.");
    expect(notes).toContain("m = 0.9999 stands as published: its key encoder averages over 10,000 steps");
    expect(footnotes(resultOf(3)).join("\n")).toContain(
      "3 seeds; accuracies in percent on test, 95 % intervals of seeds",
    );
  });

  it("say by which measures the pixels are ahead, and that the row has failed that others are compared with", () => {
    expect(footnotes(result).join("\n")).not.toContain("above the pixels");
    const best = exampleBaselines(encoder, [8, 8], 38);
    const runs = resultOf(1).rows.map((row) => row.runs);
    expect(footnotes(ablationResult(quick, runs, best)).join("\n")).toContain(
      "No row is above the pixels by linear probe, logistic regression, kNN and retrieval.",
    );
    const chance = exampleBaselines(encoder, [38], 10);
    expect(footnotes(ablationResult(quick, runs, chance)).join("\n")).toContain(
      "The row that the others are compared with, m = 0.99, failed: retrieval is not above the random network.",
    );
  });

  it("say that the random networks' intervals are over draws, where there are three or more", () => {
    const three = exampleBaselines(encoder, [8, 9, 10], 10);
    const notes = (seeds: number) =>
      footnotes(
        ablationResult(
          quick,
          resultOf(seeds).rows.map(({ runs }) => runs),
          three,
        ),
      ).join("\n");
    expect(notes(1)).toContain("95 % intervals of test sampling, of the random network over its draws.");
    expect(notes(3)).toContain("95 % intervals of seeds, of the random network over its draws.");
    expect(footnotes(result).join("\n")).not.toContain("over its draws");
  });

  it("say the kind of interval and the settings of kNN also where the first row diverged", () => {
    const notes = footnotes(firstDiverged(3)).join("\n");
    expect(notes).toContain("95 % intervals of seeds");
    expect(notes).toContain("kNN: k = 20, T = 0.1");
  });
});

describe("resultTable", () => {
  it("shows a result of which nothing was run: the published numbers, and that nothing was run", () => {
    const text = resultTable(empty);
    expect(text).toContain("Momentum of the key encoder (section 4.1, table in the text)");
    expect(text).toContain("fail (K = 4,096)");
    expect(text).toContain("not run yet");
    expect(text).toContain("Nothing has been run yet.");
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("shows no NaN where a cell diverged before its first point of the curve", () => {
    const diverged = firstDiverged(1).rows.map(({ runs }, index) =>
      runs.map((run) => (index === 0 ? { ...run, curve: [], monitor: [] } : run)),
    );
    const text = resultTable(ablationResult(quick, diverged, baselines));
    expect(text).toContain("failed: the loss is not a number");
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("holds accuracies, differences and the queue", () => {
    const text = resultTable(result);
    for (const part of ["linear probe", "claimed", "published", "sign and interval", "own image among the keys"]) {
      expect(text).toContain(part);
    }
  });
});
