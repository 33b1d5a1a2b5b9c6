import { percent } from "../../display/percent";
import { methodRecipe, mocoRecipe } from "../../recipes/method-recipes";
import type { Preset } from "../../recipes/presets";
import type { StalenessRecord } from "./observe-staleness";
import type { DictionaryRecipe, MaskedAccuracy } from "./staleness-reading";
import { meanOf, standardErrorOf } from "../../statistics/mean";
import { signedPoints, type StudyCell } from "./study";

/** One dictionary. */
export interface StalenessCell extends StudyCell {
  readonly recipe: DictionaryRecipe;
  readonly dictionary: "queue" | "memory bank";
  /** m of the key encoder; for the bank, the share of the old representation that an entry keeps. */
  readonly momentum: number;
}

/** Masked accuracy, mean over readings. */
export interface MaskedMean extends MaskedAccuracy {
  /** Standard error of `oldest - random`, from its spread over the readings; undefined with one. */
  readonly error: number | undefined;
}

/** Of a training. */
export const halves = ["first", "second"] as const;
export type Half = (typeof halves)[number];

/** A dictionary with what was seen of it. */
export interface StalenessRow extends StalenessCell {
  readonly record: StalenessRecord;
  /** 1 - cosine by age in steps, mean over the keys read in each half of training. */
  readonly drift: Readonly<Record<Half, readonly { readonly age: number; readonly drift: number }[]>>;
  /** Means over the second half of training; empty for the bank. */
  readonly masked: readonly MaskedMean[];
  /** By part of training between two readings: half the mean square of the loss's change from step to step. */
  readonly lossVariance: readonly { readonly step: number; readonly variance: number }[];
}

export interface StalenessStudy {
  readonly rows: readonly StalenessRow[];
  readonly finding: string;
}

/** MoCo by m, and the memory bank by the momentum of its entries, each with as many negatives as the momentum ablation. */
export function stalenessCells(
  preset: Preset,
  axes: { readonly momenta: readonly number[]; readonly bankMomenta: readonly number[]; readonly epochs: number },
): StalenessCell[] {
  const { temperature, momentumAblationQueueSize: negatives } = preset;
  const cell = (dictionary: StalenessCell["dictionary"], momentum: number): StalenessCell => ({
    dictionary,
    momentum,
    label: dictionary === "queue" ? `queue, m = ${momentum}` : `memory bank, keeps ${momentum}`,
    recipe: {
      ...(dictionary === "queue"
        ? mocoRecipe(preset, negatives, momentum)
        : methodRecipe(preset, { kind: "memory-bank", negatives, momentum, temperature })),
      epochs: axes.epochs,
    } as DictionaryRecipe,
  });
  return [
    ...axes.momenta.map((momentum) => cell("queue", momentum)),
    ...axes.bankMomenta.map((momentum) => cell("memory bank", momentum)),
  ];
}

/**
 * How stale the dictionaries of the queue (figure 2c) and of the memory bank (figure 2b) are, by one measure: how far a
 * stored key is from what the present encoder makes of the same view, by its age; and what the oldest keys of the queue
 * do to the pretext task.
 *
 * @param observe - gives what was seen along the training of a cell
 */
export async function stalenessStudy(
  cells: readonly StalenessCell[],
  observe: (cell: StalenessCell) => Promise<StalenessRecord>,
): Promise<StalenessStudy> {
  const rows: StalenessRow[] = [];
  for (const cell of cells) {
    const record = await observe(cell);
    const isLate = ({ step }: { readonly step: number }) => 2 * step > record.losses.length;
    const late = record.readings.filter(isLate);
    rows.push({
      ...cell,
      record,
      drift: { first: driftByAge(record.readings.filter((one) => !isLate(one))), second: driftByAge(late) },
      masked: meanMasked(late),
      lossVariance: lossVariance(record),
    });
  }
  return { rows, finding: findingOf(rows) };
}

/** The drift of keys of one age at each reading. */
export function driftAlong({ record }: StalenessRow, age: number): { readonly step: number; readonly drift: number }[] {
  return record.readings.flatMap(({ step, drift }) =>
    drift.filter((one) => one.age === age).map((one) => ({ step, drift: one.drift })),
  );
}

/** The greatest age that all dictionaries were read at; undefined if there is none. */
export function commonAge(rows: readonly StalenessRow[]): number | undefined {
  const ages = rows.map(({ drift }) => drift.second.map(({ age }) => age));
  return ages[0]?.filter((age) => ages.every((own) => own.includes(age))).at(-1);
}

function driftByAge(readings: StalenessRecord["readings"]): { age: number; drift: number }[] {
  const all = readings.flatMap(({ drift }) => drift);
  return [...new Set(all.map(({ age }) => age))]
    .sort((a, b) => a - b)
    .map((age) => {
      const ofAge = all.filter((one) => one.age === age);
      const keys = ofAge.reduce((sum, one) => sum + one.keys, 0);
      return { age, drift: ofAge.reduce((sum, one) => sum + one.drift * one.keys, 0) / keys };
    });
}

function meanMasked(readings: StalenessRecord["readings"]): MaskedMean[] {
  const all = readings.flatMap(({ masked }) => masked);
  return [...new Set(all.map(({ share }) => share))].map((share) => {
    const ofShare = all.filter((one) => one.share === share);
    const differences = ofShare.map(({ oldest, random }) => oldest - random);
    return {
      share,
      oldest: meanOf(ofShare.map(({ oldest }) => oldest)),
      random: meanOf(ofShare.map(({ random }) => random)),
      error: differences.length < 2 ? undefined : standardErrorOf(differences),
    };
  });
}

/** A drift as tables and findings print it; below what float32 can tell, nothing. */
export function printDrift(drift: number): string {
  return isNoDrift(drift) ? "0" : String(Number(drift.toPrecision(2)));
}

/** Whether float32 cannot tell it from 0. */
export function isNoDrift(drift: number): boolean {
  return Math.abs(drift) < 1e-6;
}

/** The change from step to step takes the trend of the loss out of its variance (von Neumann). */
function lossVariance({ losses, readings }: StalenessRecord): { step: number; variance: number }[] {
  const halfSquares = losses.slice(1).map((loss, at) => (loss - losses[at]!) ** 2 / 2);
  return readings.flatMap(({ step }, index) => {
    // The change to step t stands at t - 2: the first step has none.
    const part = halfSquares.slice(Math.max(0, (readings[index - 1]?.step ?? 0) - 1), step - 1);
    return part.length === 0 ? [] : [{ step, variance: meanOf(part) }];
  });
}

/** How much the oldest keys differ from any, with the standard error. */
export function printDifference({ oldest, random, error }: MaskedMean): string {
  return `${signedPoints(oldest - random)}${error === undefined ? "" : ` ± ${(100 * error).toFixed(1)}`}`;
}

function findingOf(rows: readonly StalenessRow[]): string {
  const age = commonAge(rows);
  if (age === undefined) return "No age was read in every dictionary.";
  const ofKind = (kind: StalenessCell["dictionary"]) => rows.filter(({ dictionary }) => dictionary === kind);
  const [queues, banks] = [ofKind("queue"), ofKind("memory bank")];
  const told = [
    { keys: "keys of the queue", drifts: driftsOf(queues, age, (m) => `m = ${m}`), judged: true },
    { keys: "entries of the memory bank", drifts: driftsOf(banks, age, (share) => `keeps ${share}`), judged: false },
  ].flatMap(({ keys, drifts, judged }) => {
    const parts = drifts.map(
      ({ half, list, values }) => `by ${list} in the ${half} half of training${judged ? orderOf(values) : ""}`,
    );
    return parts.length === 0
      ? []
      : [`After ${age} step${age === 1 ? "" : "s"} ${keys} have drifted ${parts.join("; ")}.`];
  });
  return [...told, ...maskingOf(queues), "One seed."].join(" ");
}

/** Drift of the keys of one age by half of training. */
function driftsOf(rows: readonly StalenessRow[], age: number, name: (momentum: number) => string) {
  return halves.flatMap((half) => {
    const found = rows.flatMap(({ momentum, drift }) => {
      const ofAge = drift[half].find((one) => one.age === age);
      return ofAge === undefined ? [] : [{ momentum, drift: ofAge.drift }];
    });
    const list = found.map(({ momentum, drift }) => `${printDrift(drift)} (${name(momentum)})`).join(", ");
    return found.length === 0 ? [] : [{ half, list, values: found.map(({ drift }) => drift) }];
  });
}

/** Whether drifts in the order of m go as section 3.2 argues. */
function orderOf(drifts: readonly number[]): string {
  if (drifts.length < 2) return "";
  const steps = drifts.slice(1).map((drift, at) => drift - drifts[at]!);
  if (steps.every((step) => step < 0)) return ", less with a larger m, as section 3.2 argues";
  return steps.every((step) => step > 0) ? ", more with a larger m, against section 3.2" : ", in no order of m";
}

/** What the older half of the queue does to the pretext task, at the largest m. */
function maskingOf(queues: readonly StalenessRow[]): string[] {
  const masked = queues.filter((row) => row.masked.length > 0);
  const slowest = masked.at(-1);
  const [whole, half] = [0, 0.5].map((share) => slowest?.masked.find((one) => one.share === share));
  if (slowest === undefined || whole === undefined || half === undefined) return [];
  const learned = masked.map(({ momentum, masked: [all] }) => `${percent(all!.oldest)} (m = ${momentum})`).join(", ");
  const difference = half.oldest - half.random;
  const meaning =
    half.error === undefined || Math.abs(difference) <= 2 * half.error
      ? "not told apart from other keys"
      : `${difference < 0 ? "easier" : "harder"} negatives than other keys`;
  return [
    `The pretext accuracy of the second half is ${learned}.`,
    `Without the older half of the queue it changes at m = ${slowest.momentum} by ${signedPoints(half.oldest - whole.oldest)} points, ` +
      `without as many random keys by ${signedPoints(half.random - whole.random)}, a difference of ${printDifference(half)}: old keys are ${meaning}.`,
  ];
}
