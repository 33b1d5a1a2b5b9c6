import { z } from "zod";
import { evaluationFromJson, evaluationToJson } from "../evaluate/evaluation-json";
import { readCheckedJson, writeCheckedJson } from "../files/checked-json";
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
  writeCheckedJson(path, json);
}

/**
 * Reads a finished run.
 *
 * @returns undefined if there is none
 * @throws InputError if the file is not what {@link writeRunRecord} writes
 */
export function readRunRecord(path: string | undefined): RunRecord | undefined {
  const advice = "The command that trained it evaluates it again";
  const read = path === undefined ? undefined : readCheckedJson(path, schema, { what: "run", advice });
  if (read === undefined) return undefined;
  const { queueOverlap, evaluation, diverged, ...rest } = read;
  return {
    ...rest,
    queueOverlap: queueOverlap === null ? undefined : { ...queueOverlap, twin: queueOverlap.twin ?? undefined },
    evaluation: evaluation === null ? undefined : evaluationFromJson(evaluation, path!),
    diverged: diverged ?? undefined,
  };
}
