import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ImageData } from "../data/image-set";
import { InputError } from "../errors";
import { evaluationFromJson, evaluationToJson } from "../evaluate/evaluation-json";
import type { Evaluation } from "../evaluate/evaluate-features";
import { randomNetwork } from "../evaluate/extract";
import { isUnchanged, withChecksum, withoutChecksum } from "../files/checked-json";
import { readOrSetAside } from "../files/generations";
import { replaceFile } from "../files/replace-file";
import { disposeEncoder } from "../nn/encoder";
import type { Preset } from "../recipes/presets";
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
      kept(baselinePath(name), () => {
        const network = randomNetwork(preset.base.encoder, data, index + 1);
        const evaluation = evaluateEncoder(network, data, preset, index + 1);
        disposeEncoder(network);
        return evaluation;
      }),
    ),
    pixels: kept(baselinePath(names.pixels), () => evaluatePixels(data, preset, 1)),
  };
}

/**
 * Reads an evaluation that was kept.
 *
 * @returns undefined if there is none
 * @throws InputError if the file holds something else
 */
export function readEvaluation(path: string): Evaluation | undefined {
  if (!existsSync(path)) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    throw new InputError(`Cannot read the evaluation ${path}: it is not JSON. The command that made it evaluates again`);
  }
  if (!isUnchanged(json)) {
    throw new InputError(
      `Cannot read the evaluation ${path}: its content is not the one that its checksum was made of. ` +
        "The command that made it evaluates again",
    );
  }
  return evaluationFromJson(withoutChecksum(json));
}

function named(name: string, definition: unknown): BaselineName {
  return { name, hash: createHash("sha256").update(JSON.stringify(definition)).digest("hex").slice(0, 12) };
}

function kept(path: string, evaluate: () => Evaluation): Evaluation {
  const found = readOrSetAside(path, readEvaluation);
  if (found) return found;
  const evaluation = evaluate();
  replaceFile(path, `${JSON.stringify(withChecksum(evaluationToJson(evaluation)))}\n`);
  return evaluation;
}
