import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { InputError } from "../errors";
import { evaluationFromJson, evaluationToJson } from "../evaluate/evaluation-json";
import { isUnchanged, withChecksum } from "../files/checked-json";
import { replaceFile } from "../files/replace-file";
import type { Evaluation } from "../evaluate/evaluate-features";
import { curveSchema } from "../train/checkpoint";
import { manifestSchema, type Manifest } from "../train/manifest";
import type { CurvePoint, MonitorPoint } from "../train/state";

/** How often the queue's keys come from the query's own image, from its twin, and from its class: means over training. */
export interface QueueOverlap {
  readonly own: number;
  readonly twin: number | undefined;
  readonly sameClass: number;
}

/** One training of one cell, evaluated; as results and run folders hold it. */
export interface RunRecord {
  readonly manifest: Manifest;
  readonly curve: readonly CurvePoint[];
  readonly monitor: readonly MonitorPoint[];
  /** Undefined for a method without a queue. */
  readonly queueOverlap: QueueOverlap | undefined;
  /** Undefined if training diverged; then `diverged` says how. */
  readonly evaluation: Evaluation | undefined;
  readonly diverged: string | undefined;
}

const schema = z.object({
  manifest: manifestSchema,
  curve: curveSchema,
  monitor: z.array(z.object({ step: z.number(), knn: z.number() })),
  queueOverlap: z.object({ own: z.number(), twin: z.number().nullable(), sameClass: z.number() }).nullable(),
  evaluation: z.unknown(),
  diverged: z.string().nullable(),
});

/** Writes a finished run, whole or not at all. */
export function writeRunRecord(path: string, record: RunRecord): void {
  const { evaluation, queueOverlap, diverged } = record;
  const json: z.infer<typeof schema> = {
    manifest: record.manifest,
    curve: [...record.curve],
    monitor: [...record.monitor],
    queueOverlap: queueOverlap === undefined ? null : { ...queueOverlap, twin: queueOverlap.twin ?? null },
    evaluation: evaluation === undefined ? null : evaluationToJson(evaluation),
    diverged: diverged ?? null,
  };
  replaceFile(path, `${JSON.stringify(withChecksum(json))}\n`);
}

/**
 * Reads a finished run.
 *
 * @returns undefined if there is none
 * @throws InputError if the file is not what {@link writeRunRecord} writes
 */
export function readRunRecord(path: string | undefined): RunRecord | undefined {
  if (path === undefined || !existsSync(path)) return undefined;
  const fail = (problem: string): never => {
    throw new InputError(`Cannot read the run ${path}: ${problem}. The command that trained it evaluates it again`);
  };
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    fail("it is not JSON");
  }
  if (!isUnchanged(json)) fail("its content is not the one that its checksum was made of");
  const parsed = schema.safeParse(json);
  if (!parsed.success) return fail(`${parsed.error.issues[0]!.path.join(".")}: ${parsed.error.issues[0]!.message}`);
  const { queueOverlap, evaluation, diverged, ...rest } = parsed.data;
  return {
    ...rest,
    queueOverlap: queueOverlap === null ? undefined : { ...queueOverlap, twin: queueOverlap.twin ?? undefined },
    evaluation: evaluation === null ? undefined : evaluationFromJson(evaluation),
    diverged: diverged ?? undefined,
  };
}
