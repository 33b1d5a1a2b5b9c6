import { percent } from "../../display/percent";
import type { Figure } from "../../display/chart";
import type { TextRow } from "../../display/table";
import {
  commonAge,
  driftAlong,
  printDifference,
  printDrift,
  type StalenessRow,
  type StalenessStudy,
} from "./staleness";
import { mean } from "./study";

/** Drift of each dictionary by age, and the variance of its loss. */
export function stalenessRows({ rows }: StalenessStudy): TextRow[] {
  const ages = [...new Set(rows.flatMap(({ drift }) => drift.map(({ age }) => age)))].sort((a, b) => a - b);
  return rows.map(({ label, drift, lossVariance, record }) => ({
    dictionary: label,
    ...Object.fromEntries(
      ages.map((age) => {
        const ofAge = drift.find((one) => one.age === age);
        return [`drift, ${age}`, ofAge === undefined ? "–" : printDrift(ofAge.drift)];
      }),
    ),
    "loss variance":
      lossVariance.length === 0 ? "–" : mean(lossVariance.map(({ variance }) => variance)).toPrecision(2),
    state: record.diverged ?? "trained",
  }));
}

/** Pretext accuracy with parts of the queue masked. */
export function maskedRows({ rows }: StalenessStudy): TextRow[] {
  return rows.flatMap(({ label, masked }) =>
    masked.map((one) => ({
      dictionary: label,
      masked: percent(one.share),
      "the oldest": percent(one.oldest),
      "as many at random": percent(one.random),
      "difference in points ± standard error": printDifference(one),
    })),
  );
}

/** Drift over age; drift and variance of the loss along training; accuracy over the masked share. */
export function stalenessFigures({ rows }: StalenessStudy): Figure[] {
  const age = commonAge(rows);
  const layout = (title: string, xTitle: string, yTitle: string) => ({
    title: { text: title },
    xaxis: { title: { text: xTitle } },
    yaxis: { title: { text: yTitle } },
  });
  const curves = <Point>(
    points: (row: StalenessRow) => readonly Point[],
    x: (point: Point) => number,
    y: (point: Point) => number,
  ): Figure["data"] =>
    rows.flatMap((row) => {
      const own = points(row);
      return own.length === 0 ? [] : [{ name: row.label, x: own.map(x), y: own.map(y), mode: "lines+markers" }];
    });
  return [
    {
      data: curves(
        ({ drift }) => drift,
        (point) => point.age,
        ({ drift }) => drift,
      ),
      layout: layout("Drift of stored keys", "age (steps)", "1 − cosine"),
    },
    ...(age === undefined
      ? []
      : [
          {
            data: curves(
              (row) => driftAlong(row, age),
              ({ step }) => step,
              ({ drift }) => drift,
            ),
            layout: layout(`Drift of keys of age ${age}, along training`, "step", "1 − cosine"),
          },
        ]),
    {
      data: curves(
        ({ lossVariance }) => lossVariance,
        ({ step }) => step,
        ({ variance }) => variance,
      ),
      layout: layout("Variance of the loss from step to step", "step", "variance"),
    },
    {
      data: rows.flatMap(({ label, masked }) =>
        masked.length === 0
          ? []
          : (["oldest", "random"] as const).map((which) => ({
              name: `${label}, ${which}`,
              x: masked.map(({ share }) => 100 * share),
              y: masked.map((one) => 100 * one[which]),
              mode: "lines",
              ...(which === "random" && { line: { dash: "dot" } }),
            })),
      ),
      layout: layout("Pretext accuracy with a part of the queue masked", "masked (%)", "pretext accuracy (%)"),
    },
  ];
}
