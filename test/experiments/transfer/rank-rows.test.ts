import { describe, expect, it } from "vitest";
import { rankFigure, rankFinding, rankRows } from "../../../src/experiments/transfer/rank-rows";
import { measuredEncoders, type MeasuredEncoder } from "../../../src/experiments/transfer/measured-encoders";
import { recordedRuns } from "../../../src/runs/run-store";
import { recordedTransferRuns } from "../../../src/experiments/transfer/stored-transfer";
import { transferNamed } from "../../../src/experiments/transfer/transfer";

/** Encoders of as many pre-trainings, two seeds each, AP as given and linear accuracy 0.1, 0.2, ... */
const encoders = (aps: readonly number[]): MeasuredEncoder[] =>
  aps.flatMap((ap, row) =>
    [1, 2].map((seed) => ({
      label: `row ${row}`,
      seed,
      linear: (row + 1) / 10 + seed / 500,
      metrics: { ap: ap + seed / 500, ap50: 0.5, ap75: 0.5, objectAp: 0.5, objectAp50: NaN },
    })),
  );

describe("measuredEncoders", () => {
  it("pairs the recorded detectors with the linear probes of their encoders, the control left out", () => {
    const transfer = transferNamed("quick");
    const found = measuredEncoders(transfer, recordedTransferRuns(transfer), recordedRuns(transfer.preset));
    const labels = ["random", "supervised", "MoCo", "MoCo, m = 0", "MoCo, m = 0.9", "MoCo, K = 64"];
    expect(found.map(({ label, seed }) => `${label}, ${seed}`)).toEqual(
      labels.flatMap((label) => [1, 2, 3].map((seed) => `${label}, ${seed}`)),
    );
    for (const { linear, metrics } of found) {
      expect(linear).toBeGreaterThan(1 / 9);
      expect(linear).toBeLessThan(1);
      expect(metrics.ap).toBeGreaterThan(0);
      expect(metrics.maskAp).toBeUndefined();
    }
  });

  it("finds none where nothing was recorded", () => {
    const transfer = transferNamed("smoke");
    expect(measuredEncoders(transfer, recordedTransferRuns(transfer), recordedRuns(transfer.preset))).toEqual([]);
  });
});

describe("the ranks", () => {
  it("say what goes with what, or that it is not settled", () => {
    expect(rankFinding(encoders([0.1, 0.2, 0.3, 0.4]))).toBe(
      "Over 8 encoders of 4 pre-trainings, linear accuracy and AP have a rank correlation of +1.00 [+1.00, +1.00]: a better " +
        "linear probe goes with a better detector. Of the means over seeds, row 3 is best by both.",
    );
    expect(rankFinding(encoders([0.8, 0.6, 0.4, 0.2]))).toContain("goes with a worse detector");
    const unsettled = rankFinding(encoders([0.3, 0.1, 0.4, 0.2]));
    expect(unsettled).toContain("does not settle");
    expect(unsettled).toContain(
      "row 3 is best by linear accuracy (40.3 %; AP 20.3 %), row 2 by AP (40.3 %; linear 30.3 %)",
    );
    expect(rankFinding(encoders([0.1, 0.2]))).toContain("no order to compare");
  });

  it("are of each measure that tells encoders apart", () => {
    expect(rankRows(encoders([0.1, 0.2, 0.3]))[0]).toEqual({
      measure: "AP",
      encoders: "6",
      "pre-trainings": "3",
      "rank correlation with linear accuracy": "+1.00 [+1.00, +1.00]",
    });
    expect(rankRows(encoders([0.1, 0.2, 0.3])).map(({ measure }) => measure)).toEqual(["AP"]);
    expect(rankRows([])).toEqual([]);
  });

  it("are drawn, a point an encoder", () => {
    const { data } = rankFigure(encoders([0.1, 0.2]), "scenes");
    expect(data.map(({ name, x }) => [name, x.length])).toEqual([
      ["row 0", 2],
      ["row 1", 2],
    ]);
  });
});
