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
import { sameBackbone, type ResNetConfig } from "../nn/resnet-layout";
import type { Preset } from "../recipes/presets";
import { originNow, originSchema } from "../train/manifest";
import { evaluateEncoder, evaluatePixels } from "./evaluate-encoder";
import { runsFolder } from "./run-name";

/** Random networks of one backbone, whose features are evaluated. */
export interface RandomNetworks {
  readonly backbone: ResNetConfig;
  readonly names: readonly BaselineName[];
  /** One for each draw; empty where they are not evaluated yet. */
  readonly evaluations: readonly Evaluation[];
}

/** What stands beside the trained encoders: random networks of the same, and the pixels themselves. */
export interface Baselines {
  readonly randomNetworks: readonly RandomNetworks[];
  /** Undefined where they are not evaluated yet. */
  readonly pixels: Evaluation | undefined;
}

/** One baseline before it is evaluated. */
export interface BaselineName {
  /** "pixels"; "random-network-1" of the preset's encoder, "random-network-resnet50-width8-1" of another. */
  readonly name: string;
  /** Twelve hexadecimal digits of all that its numbers depend on. */
  readonly hash: string;
}

/**
 * Names of the random networks of a backbone.
 *
 * @param checksum - of the data set
 * @param backbone - by default the preset's
 */
export function randomNetworkNames(
  checksum: string,
  { base, knn, randomNetworks }: Preset,
  backbone: ResNetConfig = base.encoder,
): readonly BaselineName[] {
  const own = sameBackbone(backbone, base.encoder) ? "" : `${backbone.architecture}-width${backbone.width}-`;
  const encoder = { ...base.encoder, ...backbone };
  return Array.from({ length: randomNetworks }, (_, draw) =>
    named(`random-network-${own}${draw + 1}`, { checksum, encoder, knn, draw }),
  );
}

/** Name of the pixels of a data set. */
export function pixelsName(checksum: string, { knn }: Preset): BaselineName {
  return named("pixels", { checksum, knn });
}

/** Where a baseline is kept, beside the runs. */
export function baselinePath({ name, hash }: BaselineName, root = runsFolder): string {
  return join(root, "baselines", `${name}-${hash}.json`);
}

/** Random networks of some backbones, and the pixels, by the same metrics; evaluated once and kept beside the runs. */
export function baselines(data: ImageData, preset: Preset, backbones: readonly ResNetConfig[]): Baselines {
  return {
    randomNetworks: backbones.map((backbone) => {
      const names = randomNetworkNames(data.checksum, preset, backbone);
      const evaluations = names.map((name, index) =>
        kept(baselinePath(name), data, () => {
          const network = randomNetwork({ ...preset.base.encoder, ...backbone }, data, index + 1);
          const evaluation = evaluateEncoder(network, data, preset, index + 1);
          disposeEncoder(network);
          return evaluation;
        }),
      );
      return { backbone, names, evaluations };
    }),
    pixels: kept(baselinePath(pixelsName(data.checksum, preset)), data, () => evaluatePixels(data, preset, 1)),
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
