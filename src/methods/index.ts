import { z } from "zod";
import { InputError } from "../errors";
import { endToEnd } from "./end-to-end";
import { memoryBank } from "./memory-bank";
import type { MethodDefinition, MethodSettings } from "./method";
import { moco } from "./moco";
import { randomWeights } from "./random-weights";
import { simclr } from "./simclr";
import { supervised } from "./supervised";

/** The kit's methods by their `kind`: the mechanisms of the paper's figure 2, SimCLR, and the two baselines. */
const methods = {
  moco,
  "end-to-end": endToEnd,
  "memory-bank": memoryBank,
  simclr,
  supervised,
  random: randomWeights,
} as const;

/** Settings of any of the kit's methods. */
export const methodSchema = z.discriminatedUnion("kind", [
  moco.settings,
  endToEnd.settings,
  memoryBank.settings,
  simclr.settings,
  supervised.settings,
  randomWeights.settings,
]);

/**
 * The definition of a method.
 *
 * @param own - one that is not the kit's
 * @throws InputError if it is none of these
 */
export function methodOf({ kind }: MethodSettings, own?: MethodDefinition): MethodDefinition {
  const definition = own ?? (methods as Readonly<Record<string, MethodDefinition>>)[kind];
  if (definition !== undefined) return definition;
  throw new InputError(
    `Cannot find the method: known are ${Object.keys(methods).join(", ")}, current value is "${kind}"`,
  );
}
