import { percent } from "../../display/percent";
import { signedInterval } from "../../display/signed";
import { measureTitles, type DetectionMeasure } from "../../detection/metric/detection-metrics";
import { rankCorrelationOfGroups, type Pair, type RankCorrelation } from "../../statistics/rank-correlation";
import { meanOf } from "../../statistics/mean";
import type { Figure } from "../../display/chart";
import type { MeasuredEncoder } from "./measured-encoders";
import type { TextRow } from "../../display/table";

/** Measures that a linear probe is held against: AP75 and the rest say the same once more. */
const measures: readonly DetectionMeasure[] = ["ap", "ap50", "maskAp", "objectAp50"];

/** How well the order of encoders by linear accuracy is that by detection, measure by measure. */
export function rankRows(encoders: readonly MeasuredEncoder[]): TextRow[] {
  return measures.flatMap((measure) => {
    const found = correlationOf(encoders, measure);
    if (found === undefined) return [];
    return [
      {
        measure: measureTitles[measure],
        encoders: String(encoders.length),
        "pre-trainings": String(byLabel(encoders).size),
        "rank correlation with linear accuracy": withSign(found),
      },
    ];
  });
}

/** What the ranks say of AP. Computed, not written. */
export function rankFinding(encoders: readonly MeasuredEncoder[]): string {
  const found = correlationOf(encoders, "ap");
  if (found === undefined)
    return "Fewer than three pre-trainings have both a linear probe and a detector: no order to compare.";
  const groups = [...byLabel(encoders)].map(([label, members]) => ({
    label,
    linear: meanOf(members.map(({ linear }) => linear)),
    ap: meanOf(members.map(({ metrics }) => metrics.ap)),
  }));
  const best = (measure: "linear" | "ap") =>
    groups.reduce((first, other) => (other[measure] > first[measure] ? other : first));
  const [byProbe, byDetection] = [best("linear"), best("ap")];
  const meaning =
    found.low > 0
      ? "a better linear probe goes with a better detector"
      : found.high < 0
        ? "a better linear probe goes with a worse detector"
        : "linear accuracy does not settle which encoder detects better";
  const both =
    byProbe === byDetection
      ? `${byProbe.label} is best by both`
      : `${byProbe.label} is best by linear accuracy (${percent(byProbe.linear)}; AP ${percent(byProbe.ap)}), ` +
        `${byDetection.label} by AP (${percent(byDetection.ap)}; linear ${percent(byDetection.linear)})`;
  return (
    `Over ${encoders.length} encoders of ${groups.length} pre-trainings, linear accuracy and AP have a rank correlation of ` +
    `${withSign(found)}: ${meaning}. Of the means over seeds, ${both}.`
  );
}

/** AP against linear accuracy, a point an encoder. */
export function rankFigure(encoders: readonly MeasuredEncoder[], title: string): Figure {
  return {
    data: [...byLabel(encoders)].map(([label, members]) => ({
      name: label,
      x: members.map(({ linear }) => 100 * linear),
      y: members.map(({ metrics }) => 100 * metrics.ap),
      mode: "markers",
    })),
    layout: {
      title: { text: `${title}: AP against linear accuracy` },
      xaxis: { title: { text: "linear probe (%)" } },
      yaxis: { title: { text: "AP of the detector (%)" } },
    },
  };
}

function correlationOf(encoders: readonly MeasuredEncoder[], measure: DetectionMeasure): RankCorrelation | undefined {
  const groups = [...byLabel(encoders).values()].map((members) =>
    members.flatMap(({ linear, metrics }): Pair[] => {
      const figure = metrics[measure];
      return figure === undefined || Number.isNaN(figure) ? [] : [[linear, figure]];
    }),
  );
  const known = groups.filter((pairs) => pairs.length > 0);
  if (known.length < 3) return undefined;
  const found = rankCorrelationOfGroups(known, 0);
  return Number.isNaN(found.value) ? undefined : found;
}

function byLabel(encoders: readonly MeasuredEncoder[]): ReadonlyMap<string, readonly MeasuredEncoder[]> {
  return new Map(encoders.map(({ label }) => [label, encoders.filter((one) => one.label === label)] as const));
}

function withSign({ value, low, high }: RankCorrelation): string {
  return signedInterval(value, { low, high }, { digits: 2 });
}
