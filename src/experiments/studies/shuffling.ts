import { percent } from "../../display/percent";
import type { Figure } from "../../display/chart";
import type { TextRow } from "../../display/table";
import { defaultMethod, methodRecipe } from "../../recipes/method-recipes";
import type { Preset } from "../../recipes/presets";
import type { MethodRecipe } from "../../train/recipe";
import {
  differenceError,
  differenceInLastFifth,
  finalKnn,
  lastFifth,
  oneSeedNote,
  signedPoints,
  type Estimate,
  type FindRun,
  type StudyCell,
  type StudyRun,
} from "./study";

export const shuffledMethods = ["moco", "end-to-end"] as const;
export type ShuffledMethod = (typeof shuffledMethods)[number];
type ShuffledRecipe = Extract<MethodRecipe, { kind: ShuffledMethod }>;

export interface ShufflingAxes {
  /** Parts of a batch with batch statistics of their own. */
  readonly groups: readonly number[];
  readonly epochs: number;
}

/** One combination of the axes. */
export interface ShufflingCell extends StudyCell {
  readonly method: ShuffledMethod;
  readonly groups: number;
  /** "either" with one group: then the shuffle changes nothing, so both are one computation. */
  readonly shuffle: "on" | "off" | "either";
}

export interface ShufflingRow extends ShufflingCell {
  readonly run: StudyRun;
}

export interface ShufflingStudy {
  readonly rows: readonly ShufflingRow[];
  /** How many images kNN was read on. */
  readonly validationImages: number;
  readonly finding: string;
}

/** What shuffling BN is studied on (section 3.3 and figure A.1): both mechanisms that have a batch of keys. */
export function shufflingCells(preset: Preset, { groups, epochs }: ShufflingAxes): ShufflingCell[] {
  return shuffledMethods.flatMap((kind) =>
    groups.flatMap((count) =>
      (count === 1 ? (["either"] as const) : (["on", "off"] as const)).map((shuffle) => ({
        method: kind,
        groups: count,
        shuffle,
        label: `${methodTitles[kind]}, ${count === 1 ? "1 group" : `${count} groups, shuffle ${shuffle}`}`,
        recipe: {
          ...methodRecipe(preset, {
            ...(defaultMethod(preset, kind) as ShuffledRecipe),
            shuffleBN: shuffle !== "off", // with one group a shuffle would change nothing but the time it takes
          }),
          bnGroups: count,
          epochs,
        },
      })),
    ),
  );
}

/** As sentences and charts name them. */
const methodTitles: Readonly<Record<ShuffledMethod, string>> = { moco: "MoCo", "end-to-end": "end-to-end" };

/**
 * Shuffling BN on and off against the groups of batch normalization: pretext accuracy and kNN along training (figure
 * A.1). Where the statistics of a group give the positive away, the pretext accuracy rises and kNN falls.
 *
 * @param validationImages - how many images kNN was read on, for the error of its accuracy
 */
export async function shufflingStudy(
  cells: readonly ShufflingCell[],
  findRun: FindRun,
  validationImages: number,
): Promise<ShufflingStudy> {
  const rows: ShufflingRow[] = [];
  for (const cell of cells) rows.push({ ...cell, run: await findRun(cell) });
  return { rows, validationImages, finding: findingOf(rows, validationImages) };
}

/** Where each training ended, as a table. */
export function shufflingRows({ rows }: ShufflingStudy): TextRow[] {
  return rows.map(({ method, groups, shuffle, run }) => ({
    method: methodTitles[method],
    "BN groups": String(groups),
    shuffle: shuffle === "either" ? "on or off: the same computation" : shuffle,
    "pretext accuracy, last fifth": percent(lastFifth(run, "accuracy")),
    "kNN on validation": percent(finalKnn(run)),
    state: run.diverged ?? "trained",
  }));
}

/** Pretext accuracy and kNN along training, for each method: the two halves of figure A.1. */
export function shufflingFigures({ rows }: ShufflingStudy): Figure[] {
  return shuffledMethods.flatMap((method) => {
    const own = rows.filter((row) => row.method === method);
    const figure = (
      title: string,
      yTitle: string,
      points: (run: StudyRun) => { x: number[]; y: number[] },
    ): Figure => ({
      data: own.map(({ groups, shuffle, run }) => ({
        name: `${groups} group${groups === 1 ? "" : `s, ${shuffle}`}`,
        ...points(run),
        mode: "lines",
        ...(shuffle === "off" && { line: { dash: "dash" } }),
      })),
      layout: {
        title: { text: `${methodTitles[method]}: ${title}` },
        xaxis: { title: { text: "step" } },
        yaxis: { title: { text: yTitle } },
      },
    });
    return [
      figure("pretext accuracy along training", "pretext accuracy (%)", ({ curve }) => ({
        x: curve.map(({ step }) => step),
        y: curve.map(({ accuracy }) => 100 * accuracy),
      })),
      figure("kNN on validation along training", "kNN accuracy (%)", ({ monitor }) => ({
        x: monitor.map(({ step }) => step),
        y: monitor.map(({ knn }) => 100 * knn),
      })),
    ];
  });
}

/** What to know of the table and the curves: how precise they are, and why MoCo's pretext accuracy begins as it does. */
export function shufflingNotes({ rows, validationImages }: ShufflingStudy): string[] {
  const runs = rows.map(({ run }) => run);
  const beginnings = rows.flatMap(({ run: { curve }, recipe: { method, batchSize } }) => {
    if (method.kind !== "moco" || curve[0]?.step !== 1) return [];
    const full = Math.floor(method.queueSize / batchSize);
    const later = curve.filter(({ step }) => step > 1 && step <= full).map(({ accuracy }) => accuracy);
    return later.length === 0 ? [] : [{ full, first: curve[0].accuracy, later: Math.max(...later) }];
  });
  if (beginnings.length === 0) return [oneSeedNote(runs, validationImages)];
  const [{ full }] = beginnings as [(typeof beginnings)[number]];
  const first = Math.min(...beginnings.map((one) => one.first));
  const later = Math.max(...beginnings.map((one) => one.later));
  return [
    `MoCo's pretext accuracy is ${percent(first, 0)} at the first step, when all keys of the queue are random vectors, and at most ` +
      `${percent(later)} in steps 2 to ${full}, while real keys replace them.`,
    oneSeedNote(runs, validationImages),
  ];
}

/** What the paper's figure A.1 has without the shuffle. */
const paperSigns = { pretext: 1, knn: -1 } as const;

function findingOf(rows: readonly ShufflingRow[], images: number): string {
  const told = shuffledMethods.flatMap((method) => {
    const groups = Math.max(...rows.filter((row) => row.method === method).map((row) => row.groups));
    const [on, off] = (["on", "off"] as const).map((shuffle) =>
      rows.find((row) => row.method === method && row.groups === groups && row.shuffle === shuffle),
    );
    if (on === undefined || off === undefined) return [];
    const pretext = differenceInLastFifth(off.run, on.run);
    const [knnOn, knnOff] = [finalKnn(on.run), finalKnn(off.run)];
    if (pretext === undefined || knnOn === undefined || knnOff === undefined) return [];
    const knn = { mean: knnOff - knnOn, error: differenceError(knnOn, knnOff, images) };
    return [
      `${methodTitles[method]} in ${groups} groups, pretext accuracy ${describeChange(pretext, paperSigns.pretext)}, ` +
        `kNN ${describeChange(knn, paperSigns.knn)}`,
    ];
  });
  if (told.length === 0) return "No pair of trainings with and without the shuffle came to its end.";
  return (
    `Without the shuffle, in points ± one standard error: ${told.join("; ")}. In the paper pretext accuracy goes up and kNN down ` +
    "(one seed here)."
  );
}

function describeChange({ mean, error }: Estimate, paperSign: 1 | -1): string {
  if (error === undefined) return `${signedPoints(mean)} (one reading, no error)`;
  const direction = mean > 0 ? "up" : "down";
  const meaning =
    Math.abs(mean) <= 2 * error
      ? "within two standard errors"
      : `${direction}, ${Math.sign(mean) === paperSign ? "as in the paper" : "against the paper"}`;
  return `${signedPoints(mean)} ± ${(100 * error).toFixed(1)} (${meaning})`;
}
