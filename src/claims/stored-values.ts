import { InputError } from "../errors";
import { readDetectorRun } from "../runs/run-detector";
import { metricsOf } from "../experiments/transfer/measured-encoders";
import { readRunRecord } from "../runs/run-record";
import type { RunStore } from "../runs/run-store";
import type { TransferStore } from "../experiments/transfer/stored-transfer";
import { isTooShort } from "../experiments/studies/momentum-length";
import type { Ablation } from "../experiments/ablation/ablation";
import type { RunRecord } from "../runs/run-record";
import { transferNamed, type Transfer } from "../experiments/transfer/transfer";
import type { Estimand } from "./claim";
import type { FindValues } from "./judge";

/** Where the runs behind the tables lie. */
export interface ClaimStores {
  /** A table by its name; undefined where the rates of its mechanisms are not chosen yet. */
  readonly ablation: (id: Ablation["id"]) => Ablation | undefined;
  readonly runs: RunStore;
  readonly detectors: (transfer: Transfer) => TransferStore;
}

/** Finds the values of claims in stored runs: seeds from 1 upward, as many as all rows of a claim have. Trains nothing. */
export function storedValues({ ablation, runs, detectors }: ClaimStores): FindValues {
  return (estimand) => {
    if (estimand.kind === "transfer") {
      const transfer = transferNamed(estimand.table);
      return pairedRows(estimand, (label) => detectorRow(label, estimand, transfer, detectors(transfer)));
    }
    const table = ablation(estimand.table);
    if (table === undefined) return { missing: "the learning rates of the mechanisms are not chosen yet" };
    return pairedRows(estimand, (label) => ablationRow(label, estimand, table, runs));
  };
}

/** The files of the runs that the values of an estimand are read from. */
export function runsBehind(
  { rows, ...estimand }: Estimand,
  { ablation, runs, detectors }: ClaimStores,
): readonly string[] {
  const files = (find: (seed: number) => string | undefined) => {
    const found: string[] = [];
    for (let seed = 1, file = find(1); file !== undefined; file = find(++seed)) found.push(file);
    return found;
  };
  if (estimand.kind === "transfer") {
    const transfer = transferNamed(estimand.table);
    const store = detectors(transfer);
    return transfer.rows
      .filter(({ label }) => rows.includes(label))
      .flatMap((row) => files((seed) => store.run(row, seed)));
  }
  const cells = ablation(estimand.table)?.cells.filter(({ label }) => rows.includes(label)) ?? [];
  return cells.flatMap(({ recipe }) => files((seed) => runs.run(recipe, seed)));
}

/** What a seed of a row came to, 0 to 1, on which images; or what is wrong with it. */
type Reading = { readonly value: number; readonly images: string } | { readonly wrong: string };

/** Reads a seed of a row; undefined after the last. */
type ReadSeed = (seed: number) => Reading | undefined;

/** @param readerOf - of a row by its label; undefined where the table has no such row */
function pairedRows({ rows }: Estimand, readerOf: (label: string) => ReadSeed | undefined): ReturnType<FindValues> {
  const values: number[][] = [];
  const images = new Set<string>();
  for (const label of rows) {
    const read = readerOf(label);
    if (read === undefined) return { missing: `the preset has no row ${label}` };
    const ofRow: number[] = [];
    for (let seed = 1, reading = read(1); reading !== undefined; reading = read(++seed)) {
      if ("wrong" in reading) return { missing: `${label}, seed ${seed}: ${reading.wrong}` };
      ofRow.push(100 * reading.value);
      images.add(reading.images);
    }
    if (ofRow.length === 0) return { missing: `${label} is not run` };
    values.push(ofRow);
  }
  if (images.size > 1) {
    throw new InputError(
      `Cannot compare ${rows.join(" and ")}: all must be read on the same images, current checksums are ${[...images].join(", ")}`,
    );
  }
  const seeds = Math.min(...values.map(({ length }) => length));
  return { values: values.map((ofRow) => ofRow.slice(0, seeds)) };
}

function ablationRow(
  label: string,
  { table, metric }: Extract<Estimand, { kind: "ablation" }>,
  { cells }: Ablation,
  store: RunStore,
): ReadSeed | undefined {
  const cell = cells.find((one) => one.label === label);
  if (cell === undefined) return undefined;
  return (seed) => {
    const run = readRunRecord(store.run(cell.recipe, seed));
    if (run === undefined) return undefined;
    const value = run.evaluation?.[metric]?.accuracy;
    const wrong = run.diverged ?? (table === "momentum" ? tooShort(run) : undefined);
    if (wrong !== undefined || value === undefined) return { wrong: wrong ?? `it has no ${metric} accuracy` };
    return { value, images: run.manifest.data.checksum };
  };
}

function detectorRow(
  label: string,
  { metric }: Extract<Estimand, { kind: "transfer" }>,
  { rows }: Transfer,
  store: TransferStore,
): ReadSeed | undefined {
  const row = rows.find((one) => one.label === label);
  if (row === undefined) return undefined;
  return (seed) => {
    const run = readDetectorRun(store.run(row, seed));
    if (run === undefined) return undefined;
    const value = metricsOf(run)[metric];
    if (value === undefined || Number.isNaN(value)) return { wrong: `it has no ${metric}` };
    return { value, images: run.manifest.data.test.checksum };
  };
}

/** The rule of the study of m against length of training: such a row says nothing of its m. */
function tooShort({ manifest: { recipe, steps } }: RunRecord): string | undefined {
  const { method } = recipe;
  if (method.kind !== "moco" || !isTooShort(method.momentum, steps)) return undefined;
  const averaged = Math.round(1 / (1 - method.momentum)).toLocaleString("en");
  return `its key encoder averages over ${averaged} steps, more than a third of the ${steps.toLocaleString("en")} that it is trained for`;
}
