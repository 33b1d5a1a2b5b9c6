import type { ImageSet } from "../../data/image-set";
import type { Figure } from "../../display/chart";
import type { TextRow } from "../../display/table";
import { queueOverlap } from "../../runs/queue-overlap";
import type { QueueOverlap } from "../../runs/run-record";

export interface FalseNegativeAxes {
  /** K of each row, rising. */
  readonly queueSizes: readonly number[];
  readonly batchSize: number;
  /** Over how many epochs the queries are counted. */
  readonly epochs: number;
  readonly seed: number;
}

/** What a queue of one size holds besides true negatives; shares of its keys, means over the queries. */
export interface FalseNegativeRow extends QueueOverlap {
  readonly queueSize: number;
  /** K above the number of training images: the paper's queues never are. */
  readonly beyondPaper: boolean;
}

export interface FalseNegatives {
  readonly rows: readonly FalseNegativeRow[];
  /** Share of its class that a query would meet among keys drawn at random from the training set. */
  readonly classAtRandom: number;
  readonly trainImages: number;
  readonly finding: string;
}

/**
 * False negatives in the queue against its size K (section 3.2): keys of the query's own image from an epoch before, of
 * its twin, of its class. Nothing is trained: the order of the images says it all, and the shares are exact.
 */
export function falseNegatives(
  train: ImageSet,
  { queueSizes, batchSize, epochs, seed }: FalseNegativeAxes,
): FalseNegatives {
  const trainImages = train.labels.length;
  const rows = queueSizes.map((queueSize) => ({
    queueSize,
    beyondPaper: queueSize > trainImages,
    ...queueOverlap(train, { queueSize, batchSize, epochs }, seed),
  }));
  const counts = new Array<number>(train.classes.length).fill(0);
  train.labels.forEach((label) => counts[label]!++);
  const classAtRandom = counts.reduce((sum, count) => sum + (count / trainImages) ** 2, 0);
  return { rows, classAtRandom, trainImages, finding: findingOf(rows, classAtRandom, trainImages) };
}

/** The shares as a table; counts are keys per query. */
export function falseNegativeRows({ rows, trainImages }: FalseNegatives): TextRow[] {
  return rows.map(({ queueSize, own, twin, sameClass, beyondPaper }) => ({
    K: String(queueSize),
    "K / N": (queueSize / trainImages).toFixed(3),
    "own image": exact(own),
    "own image, keys": (own * queueSize).toFixed(2),
    "its twin": twin === undefined ? "–" : exact(twin),
    "its class": exact(sameClass),
    "its class, keys": (sameClass * queueSize).toFixed(0),
    regime: beyondPaper ? "beyond the paper's regime" : "K below N, as in the paper",
  }));
}

/** How many keys of the query's own image and twin the queue holds, over K. */
export function falseNegativeFigure({ rows }: FalseNegatives): Figure {
  const x = rows.map(({ queueSize, beyondPaper }) => `${queueSize}${beyondPaper ? " (beyond)" : ""}`);
  const curve = (name: string, share: (row: FalseNegativeRow) => number) => ({
    name,
    x,
    y: rows.map((row) => share(row) * row.queueSize),
    mode: "lines+markers",
  });
  return {
    data: [
      curve("own image", ({ own }) => own),
      ...(rows.every(({ twin }) => twin === undefined) ? [] : [curve("its twin", ({ twin }) => twin ?? 0)]),
    ],
    layout: {
      title: { text: "False negatives in the queue" },
      xaxis: { title: { text: "K" }, type: "category" },
      yaxis: { title: { text: "keys per query" } },
    },
  };
}

function findingOf(rows: readonly FalseNegativeRow[], classAtRandom: number, trainImages: number): string {
  const [largest, beyond] = [false, true].map((side) => rows.filter(({ beyondPaper }) => beyondPaper === side).at(-1));
  const shown = [largest, beyond].flatMap((row) =>
    row === undefined
      ? []
      : [
          `${(row.own * row.queueSize).toFixed(2)} keys of its own image among K = ${row.queueSize}` +
            (row.beyondPaper ? ` (beyond the paper's regime: there are ${trainImages} images)` : ""),
        ],
  );
  const shares = rows.map(({ sameClass }) => sameClass);
  return (
    `A query meets ${shown.join(" and ")}, while the share of its class lies between ${exact(Math.min(...shares))} and ` +
    `${exact(Math.max(...shares))} at every K, against ${exact(classAtRandom)} among keys drawn at random.`
  );
}

function exact(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
