import { percent, percentValue } from "../../display/percent";
import type { HeatMap } from "../../display/heat-map";
import type { Row, TextRow } from "../../display/table";
import { mocoRecipe } from "../../recipes/method-recipes";
import type { Preset } from "../../recipes/presets";
import { differenceError, finalKnn, oneSeedNote, type FindRun, type StudyCell, type StudyRun } from "./study";

export interface MomentumLengthAxes {
  /** m. */
  readonly momenta: readonly number[];
  /** Lengths of training, each with a cosine of its own. */
  readonly epochs: readonly number[];
}

/** One momentum at one length. */
export interface MomentumLengthCell extends StudyCell {
  readonly momentum: number;
  readonly epochs: number;
}

export interface MomentumLengthRow extends MomentumLengthCell {
  readonly steps: number;
  /** steps x (1 - m): how many times over the key encoder could have become another. */
  readonly turnovers: number;
  /** 1 / (1 - m), the steps that the key encoder averages over, exceeds a third of the training. */
  readonly tooShort: boolean;
  /** kNN on validation at the end; undefined where training diverged. */
  readonly knn: number | undefined;
  readonly run: StudyRun;
}

export interface MomentumLengthStudy {
  readonly momenta: readonly number[];
  readonly epochs: readonly number[];
  readonly rows: readonly MomentumLengthRow[];
  /** How many images kNN was read on. */
  readonly validationImages: number;
  readonly finding: string;
}

/** Share of the training that 1 / (1 - m) may be for a cell to be judged. */
const longestAverage = 1 / 3;

/** The cells of m against length of training, with the K of the momentum ablation. */
export function momentumLengthCells(preset: Preset, { momenta, epochs }: MomentumLengthAxes): MomentumLengthCell[] {
  return epochs.flatMap((length) =>
    momenta.map((momentum) => ({
      momentum,
      epochs: length,
      label: `m = ${momentum}, ${length} epoch${length === 1 ? "" : "s"}`,
      recipe: { ...mocoRecipe(preset, preset.momentumAblationQueueSize, momentum), epochs: length },
    })),
  );
}

/**
 * The momentum m of the key encoder against the length of training, by kNN on validation: whether the best m has to be
 * looked for again at each length.
 *
 * @param counts - steps of an epoch, and images of the validation part, for the error of its accuracy
 */
export async function momentumLengthStudy(
  cells: readonly MomentumLengthCell[],
  findRun: FindRun,
  counts: { readonly stepsPerEpoch: number; readonly validationImages: number },
): Promise<MomentumLengthStudy> {
  const rows: MomentumLengthRow[] = [];
  for (const cell of cells) {
    const run = await findRun(cell);
    const steps = cell.epochs * counts.stepsPerEpoch;
    const tooShort = isTooShort(cell.momentum, steps);
    const knn = run.diverged === undefined ? finalKnn(run) : undefined;
    rows.push({ ...cell, steps, turnovers: steps * (1 - cell.momentum), tooShort, knn, run });
  }
  return {
    momenta: unique(cells.map(({ momentum }) => momentum)),
    epochs: unique(cells.map(({ epochs }) => epochs)),
    rows,
    validationImages: counts.validationImages,
    finding: findingOf(rows, counts.validationImages),
  };
}

/** Whether 1 / (1 - m) exceeds a third of the training. */
export function isTooShort(momentum: number, steps: number): boolean {
  // Multiplied out: 1 / (1 - 0.9) is a little above 10 in floating point.
  return 1 > longestAverage * steps * (1 - momentum) + 1e-9;
}

/** One row a momentum, one column a length. */
export function momentumLengthRows({ momenta, epochs, rows }: MomentumLengthStudy): TextRow[] {
  return momenta.map((momentum) => ({
    m: String(momentum),
    "1 / (1 − m)": Math.round(1 / (1 - momentum)).toLocaleString("en"),
    ...Object.fromEntries(
      epochs.map((length) => {
        const row = rows.find((one) => one.momentum === momentum && one.epochs === length);
        return [`${length} epoch${length === 1 ? "" : "s"}`, row === undefined ? "–" : describe(row)];
      }),
    ),
  }));
}

/** The same as numbers, to compute with: a line per cell whose training did not diverge, kNN in percent. */
export function momentumLengthNumbers({ rows }: MomentumLengthStudy): Row[] {
  return rows.flatMap(({ momentum, epochs, steps, knn, tooShort }) =>
    knn === undefined ? [] : [{ m: momentum, epochs, steps, knn: Number((100 * knn).toFixed(1)), judged: !tooShort }],
  );
}

/** How precise the map is. */
export function momentumLengthNotes({ rows, validationImages }: MomentumLengthStudy): string[] {
  return [
    oneSeedNote(
      rows.flatMap(({ knn, run }) => (knn === undefined ? [] : [run])),
      validationImages,
    ),
  ];
}

/** kNN by m and length of training. */
export function momentumLengthMap({ momenta, epochs, rows }: MomentumLengthStudy): HeatMap {
  const grid = momenta.map((momentum) =>
    epochs.map((length) => rows.find((row) => row.momentum === momentum && row.epochs === length)),
  );
  return {
    title: "kNN on validation (%); * too short to judge",
    xTitle: "epochs",
    yTitle: "m",
    x: epochs.map(String),
    y: momenta.map(String),
    values: grid.map((line) => line.map((row) => (row?.knn === undefined ? undefined : 100 * row.knn))),
    texts: grid.map((line) => line.map((row) => `${percentValue(row?.knn)}${row?.tooShort ? " *" : ""}`)),
  };
}

function describe({ knn, turnovers, tooShort, run }: MomentumLengthRow): string {
  const accuracy = run.diverged === undefined ? percent(knn) : "diverged";
  return `${accuracy}, steps × (1 − m) = ${Number(turnovers.toPrecision(3))}${tooShort ? ", too short to judge" : ""}`;
}

function findingOf(rows: readonly MomentumLengthRow[], images: number): string {
  const tooShort = rows.filter((row) => row.tooShort).length;
  const told = unique(rows.map(({ epochs }) => epochs)).flatMap((length) => {
    const judged = rows.flatMap((row) =>
      row.epochs === length && !row.tooShort && row.knn !== undefined ? [{ momentum: row.momentum, knn: row.knn }] : [],
    );
    if (judged.length < 2) return [];
    const best = judged.reduce((most, row) => (row.knn > most.knn ? row : most));
    const near = judged
      .filter((row) => row !== best && best.knn - row.knn < 2 * differenceError(best.knn, row.knn, images))
      .map(({ momentum }) => momentum);
    const others = near.length === 0 ? "" : `, not told apart from m = ${near.join(", ")} by two standard errors`;
    return [`m = ${best.momentum} at ${length} epoch${length === 1 ? "" : "s"} (${percent(best.knn)}${others})`];
  });
  const left = `${tooShort} of the ${rows.length} cells ${tooShort === 1 ? "is" : "are"} too short to judge${highestUnjudged(rows)}`;
  return told.length === 0
    ? `No length has two momenta that can be compared: ${left}.`
    : `The best m that can be judged is ${told.join("; ")}; ${left} (one seed).`;
}

/** Names the best of the cells that are too short to judge and yet higher than all that can be judged. */
function highestUnjudged(rows: readonly MomentumLengthRow[]): string {
  const known = rows.flatMap((row) => (row.knn === undefined ? [] : [{ ...row, knn: row.knn }]));
  const best = Math.max(...known.filter((row) => !row.tooShort).map(({ knn }) => knn));
  const above = known.filter((row) => row.tooShort && row.knn > best).sort((a, b) => b.knn - a.knn);
  if (above.length === 0 || !Number.isFinite(best)) return "";
  const named = above.slice(0, 2).map((row) => `${percent(row.knn)} (${row.label})`);
  const more = above.length - named.length;
  return `, ${above.length} of them higher than any that can be judged: ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function unique(values: readonly number[]): number[] {
  return [...new Set(values)];
}
