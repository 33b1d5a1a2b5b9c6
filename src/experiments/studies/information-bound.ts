import { percent } from "../../display/percent";
import type { Figure } from "../../display/chart";
import type { TextRow } from "../../display/table";
import { curveColors } from "../../display/svg-chart";
import { seedInterval } from "../../statistics/intervals";
import { meanOf } from "../../statistics/mean";
import { lastFifth, type FindRuns, type StudyCell, type StudyRun } from "./study";

/** A training whose negatives are the K keys of a queue. */
export interface BoundCell extends StudyCell {
  /** K. */
  readonly negatives: number;
}

/** The bound along one training, in nats. */
export interface BoundCurve {
  readonly label: string;
  readonly negatives: number;
  /** log(K + 1): the bound cannot say more, however much the views share. */
  readonly ceiling: number;
  /** Of the first seed, from when the queue is full of real keys. */
  readonly points: readonly { readonly step: number; readonly bound: number }[];
  /** Mean over the last fifth of training, of each seed whose training went on until the queue was full. */
  readonly ends: readonly number[];
}

export interface InformationBound {
  readonly curves: readonly BoundCurve[];
  readonly finding: string;
}

/**
 * The lower bound that InfoNCE puts on the mutual information of two views, log(K + 1) - loss (van den Oord et al., 2018,
 * section 2.3 and appendix), along training, with its ceiling log(K + 1).
 *
 * It is a bound for independent negatives. A queue's keys come from earlier encoders and now and then from the query's own
 * image, so what stands here estimates the bound. It may be negative: a loss above chance bounds nothing.
 */
export async function informationBound(cells: readonly BoundCell[], findRuns: FindRuns): Promise<InformationBound> {
  const curves: BoundCurve[] = [];
  for (const cell of cells) {
    const runs = (await findRuns(cell)).map((run) => ({ ...run, curve: withRealKeys(run.curve, cell) }));
    const ceiling = Math.log(cell.negatives + 1);
    curves.push({
      label: cell.label,
      negatives: cell.negatives,
      ceiling,
      points: runs[0]!.curve.map((point) => ({ step: point.step, bound: ceiling - point.loss })),
      ends: runs.flatMap((run) => {
        const loss = lastFifth(run, "loss");
        return loss === undefined ? [] : [ceiling - loss];
      }),
    });
  }
  return { curves, finding: findingOf(curves) };
}

/** The curve from when the queue is full: random vectors are no keys, and easily told from the positive. */
function withRealKeys(curve: StudyRun["curve"], { negatives, recipe }: BoundCell): StudyRun["curve"] {
  const stepsToFill = negatives / recipe.batchSize;
  return curve.filter((_, index) => (curve[index - 1]?.step ?? 0) >= stepsToFill);
}

/** Where the trainings ended, as a table: means over seeds with their 95 % intervals, where there are three seeds. */
export function informationBoundRows({ curves }: InformationBound): TextRow[] {
  return curves.map(({ label, ceiling, ends }) => ({
    training: label,
    "ceiling log(K + 1), nats": ceiling.toFixed(2),
    "bound, last fifth, nats": ends.length === 0 ? "–" : withInterval(ends),
    "share of the ceiling": ends.length === 0 ? "–" : percent(meanOf(ends) / ceiling),
    seeds: String(ends.length),
  }));
}

/** The bound along training, each K with its ceiling in the same color. */
export function informationBoundFigure({ curves }: InformationBound): Figure {
  return {
    data: curves.flatMap(({ label, ceiling, points }, index) => {
      const x = points.map(({ step }) => step);
      const color = curveColors[index % curveColors.length]!;
      return [
        { name: label, x, y: points.map(({ bound }) => bound), mode: "lines", line: { color, dash: "solid" } },
        { name: `ceiling, ${label}`, x, y: x.map(() => ceiling), mode: "lines", line: { color, dash: "dot" } },
      ];
    }),
    layout: {
      title: { text: "InfoNCE's bound on mutual information, first seed" },
      xaxis: { title: { text: "step" } },
      yaxis: { title: { text: "log(K + 1) − loss (nats)" } },
    },
  };
}

function findingOf(curves: readonly BoundCurve[]): string {
  const ended = curves.filter(({ ends }) => ends.length > 0);
  const [smallest, largest] = [ended[0], ended.at(-1)];
  if (smallest === undefined || largest === undefined) return "No training went on until its queue was full.";
  const described = ({ ends, ceiling, negatives }: BoundCurve) =>
    `${meanOf(ends).toFixed(2)} of at most ${ceiling.toFixed(2)} nats (${percent(meanOf(ends) / ceiling)}) at K = ${negatives}`;
  if (smallest === largest) return `The bound ends at ${described(smallest)}.`;
  const seeds = Math.min(smallest.ends.length, largest.ends.length);
  const changes = largest.ends.slice(0, seeds).map((end, seed) => end - smallest.ends[seed]!);
  const falls = meanOf(changes) < 0;
  return (
    `The bound ends at ${described(smallest)} and ${described(largest)}: from the smaller dictionary to the larger the ceiling rises ` +
    `by ${(largest.ceiling - smallest.ceiling).toFixed(2)} nats, the bound ${falls ? "falls" : "rises"} by ` +
    `${withInterval(changes.map((change) => (falls ? -change : change)))} (${seeds === 1 ? "one seed" : `${seeds} seeds`}).`
  );
}

/** A mean over seeds, with its interval where there are three at least. */
function withInterval(values: readonly number[]): string {
  const interval = seedInterval(values);
  const shown = meanOf(values).toFixed(2);
  return interval === undefined ? shown : `${shown} [${interval.low.toFixed(2)}, ${interval.high.toFixed(2)}]`;
}
