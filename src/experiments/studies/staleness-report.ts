import { percent } from "../../display/percent";
import type { Figure } from "../../display/chart";
import type { TextRow } from "../../display/table";
import {
  commonAge,
  driftAlong,
  halves,
  isNoDrift,
  printDifference,
  printDrift,
  type StalenessRow,
  type StalenessStudy,
} from "./staleness";

/** Drift of each dictionary by age, in each half of training. */
export function stalenessRows({ rows }: StalenessStudy): TextRow[] {
  const ages = agesOf(rows);
  return halves.flatMap((half) =>
    rows.map(({ label, drift, record }) => ({
      dictionary: label,
      "half of training": half,
      ...Object.fromEntries(
        ages.map((age) => {
          const ofAge = drift[half].find((one) => one.age === age);
          return [`drift, ${age}`, ofAge === undefined ? "–" : printDrift(ofAge.drift)];
        }),
      ),
      state: record.diverged ?? "trained",
    })),
  );
}

/** All ages that were read, rising. */
function agesOf(rows: readonly StalenessRow[]): number[] {
  const all = rows.flatMap(({ drift }) => halves.flatMap((half) => drift[half].map(({ age }) => age)));
  return [...new Set(all)].sort((a, b) => a - b);
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
  const layout = (title: string, xTitle: string, yTitle: string, type: "linear" | "log" = "linear") => ({
    title: { text: title },
    xaxis: { title: { text: xTitle } },
    yaxis: { title: { text: yTitle }, type },
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
        // A logarithm has no place for keys that have not drifted.
        ({ drift }) => drift.second.filter((point) => !isNoDrift(point.drift)),
        (point) => point.age,
        ({ drift }) => drift,
      ),
      layout: layout("Drift of stored keys, second half of training", "age (steps)", "1 − cosine", "log"),
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
            layout: layout(`Drift of keys of age ${age}, along training`, "step", "1 − cosine", "log"),
          },
        ]),
    {
      data: curves(
        ({ lossVariance }) => lossVariance,
        ({ step }) => step,
        ({ variance }) => variance,
      ),
      layout: layout("Variance of the loss from step to step", "step", "variance", "log"),
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
