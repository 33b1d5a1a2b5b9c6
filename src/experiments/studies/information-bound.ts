import { percent } from "../../display/percent";
import type { Figure } from "../../display/chart";
import type { TextRow } from "../../display/table";
import { lastFifth, type FindRun, type StudyCell, type StudyRun } from "./study";

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
  /** From when the queue is full of real keys. */
  readonly points: readonly { readonly step: number; readonly bound: number }[];
  /** Mean over the last fifth of training; undefined if it ended before the queue was full. */
  readonly last: number | undefined;
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
export async function informationBound(cells: readonly BoundCell[], findRun: FindRun): Promise<InformationBound> {
  const curves: BoundCurve[] = [];
  for (const cell of cells) {
    const run = await findRun(cell);
    const curve = withRealKeys(run.curve, cell);
    const ceiling = Math.log(cell.negatives + 1);
    const loss = lastFifth({ ...run, curve }, "loss");
    curves.push({
      label: cell.label,
      negatives: cell.negatives,
      ceiling,
      points: curve.map((point) => ({ step: point.step, bound: ceiling - point.loss })),
      last: loss === undefined ? undefined : ceiling - loss,
    });
  }
  return { curves, finding: findingOf(curves) };
}

/** The curve from when the queue is full: random vectors are no keys, and easily told from the positive. */
function withRealKeys(curve: StudyRun["curve"], { negatives, recipe }: BoundCell): StudyRun["curve"] {
  const stepsToFill = negatives / recipe.batchSize;
  return curve.filter((_, index) => (curve[index - 1]?.step ?? 0) >= stepsToFill);
}

/** Where each training ended, as a table. */
export function informationBoundRows({ curves }: InformationBound): TextRow[] {
  return curves.map(({ label, ceiling, last }) => ({
    training: label,
    "ceiling log(K + 1), nats": ceiling.toFixed(2),
    "bound, last fifth, nats": last === undefined ? "–" : last.toFixed(2),
    "share of the ceiling": last === undefined ? "–" : percent(last / ceiling),
  }));
}

/** The bound along training, each K with its ceiling. */
export function informationBoundFigure({ curves }: InformationBound): Figure {
  return {
    data: curves.flatMap(({ label, ceiling, points }) => {
      const x = points.map(({ step }) => step);
      return [
        { name: label, x, y: points.map(({ bound }) => bound), mode: "lines" },
        { name: `ceiling, ${label}`, x, y: x.map(() => ceiling), mode: "lines", line: { dash: "dot" } },
      ];
    }),
    layout: {
      title: { text: "InfoNCE's bound on mutual information" },
      xaxis: { title: { text: "step" } },
      yaxis: { title: { text: "log(K + 1) − loss (nats)" } },
    },
  };
}

function findingOf(curves: readonly BoundCurve[]): string {
  const ended = curves.flatMap(({ last, ...curve }) => (last === undefined ? [] : [{ ...curve, last }]));
  const [smallest, largest] = [ended[0], ended.at(-1)];
  if (smallest === undefined || largest === undefined) return "No training went on until its queue was full.";
  const described = (curve: typeof smallest) =>
    `${curve.last.toFixed(2)} of at most ${curve.ceiling.toFixed(2)} nats (${percent(curve.last / curve.ceiling)}) at K = ${curve.negatives}`;
  if (smallest === largest) return `The bound ends at ${described(smallest)}.`;
  const gained = largest.last - smallest.last;
  return (
    `The bound ends at ${described(smallest)} and ${described(largest)}: of the ` +
    `${(largest.ceiling - smallest.ceiling).toFixed(2)} nats that the larger dictionary adds to the ceiling, the bound ` +
    `${gained < 0 ? "loses" : "gains"} ${Math.abs(gained).toFixed(2)}.`
  );
}
