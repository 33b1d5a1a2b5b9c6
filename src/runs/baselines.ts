import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import type { ImageData } from "../data/image-set";
import { evaluationFromJson, evaluationToJson } from "../evaluate/evaluation-json";
import type { Evaluation } from "../evaluate/evaluate-features";
import { randomNetwork } from "../evaluate/extract";
import { readCheckedJson, writeCheckedJson } from "../files/checked-json";
import { readOrSetAside } from "../files/generations";
import { disposeEncoder } from "../nn/encoder";
import type { Preset } from "../recipes/presets";
import { originNow, originSchema } from "../train/manifest";
import { evaluateEncoder, evaluatePixels } from "./evaluate-encoder";
import { runsFolder } from "./run-name";

/** What stands beside the trained encoders: random networks, and the pixels themselves. */
export interface Baselines {
  /** One for each draw; empty where they are not evaluated yet. */
  readonly randomNetworks: readonly Evaluation[];
  /** Undefined where they are not evaluated yet. */
  readonly pixels: Evaluation | undefined;
}

/** One baseline before it is evaluated. */
export interface BaselineName {
  /** "pixels", "random-network-1". */
  readonly name: string;
  /** Twelve hexadecimal digits of all that its numbers depend on. */
  readonly hash: string;
}

/**
 * Names of a preset's baselines.
 *
 * @param checksum - of the data set
 */
export function baselineNames(
  checksum: string,
  { base, knn, randomNetworks }: Preset,
): { readonly randomNetworks: readonly BaselineName[]; readonly pixels: BaselineName } {
  return {
    randomNetworks: Array.from({ length: randomNetworks }, (_, draw) =>
      named(`random-network-${draw + 1}`, { checksum, encoder: base.encoder, knn, draw }),
    ),
    pixels: named("pixels", { checksum, knn }),
  };
}

/** Where a baseline is kept, beside the runs. */
export function baselinePath({ name, hash }: BaselineName, root = runsFolder): string {
  return join(root, "baselines", `${name}-${hash}.json`);
}

/** Random networks and pixels by the same metrics, evaluated once and kept beside the runs. */
export function baselines(data: ImageData, preset: Preset): Baselines {
  const names = baselineNames(data.checksum, preset);
  return {
    randomNetworks: names.randomNetworks.map((name, index) =>
      kept(baselinePath(name), data, () => {
        const network = randomNetwork(preset.base.encoder, data, index + 1);
        const evaluation = evaluateEncoder(network, data, preset, index + 1);
        disposeEncoder(network);
        return evaluation;
      }),
    ),
    pixels: kept(baselinePath(names.pixels), data, () => evaluatePixels(data, preset, 1)),
  };
}

const keptSchema = z.object({
  /** By what, on what and when it was evaluated; null where it was recorded before that was kept. */
  origin: originSchema.extend({ data: z.object({ name: z.string(), checksum: z.string() }) }).nullable(),
  evaluation: z.unknown(),
});

/** A baseline as it is stored. */
export interface KeptBaseline {
  readonly origin: z.infer<typeof keptSchema>["origin"];
  readonly evaluation: Evaluation;
}

/**
 * Reads an evaluation that was kept.
 *
 * @returns undefined if there is none
 * @throws InputError if the file holds something else
 */
export function readBaseline(path: string): KeptBaseline | undefined {
  const read = readCheckedJson(path, keptSchema, {
    what: "evaluation",
    advice: "The command that made it evaluates again",
  });
  return read && { origin: read.origin, evaluation: evaluationFromJson(read.evaluation, path) };
}

function named(name: string, definition: unknown): BaselineName {
  return { name, hash: createHash("sha256").update(JSON.stringify(definition)).digest("hex").slice(0, 12) };
}

function kept(path: string, { name, checksum }: ImageData, evaluate: () => Evaluation): Evaluation {
  const found = readOrSetAside(path, readBaseline);
  if (found) return found.evaluation;
  const evaluation = evaluate();
  writeCheckedJson(path, {
    origin: { ...originNow(), data: { name, checksum } },
    evaluation: evaluationToJson(evaluation),
  });
  return evaluation;
}
