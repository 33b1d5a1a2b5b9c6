import { InputError } from "../errors";
import type { Preset } from "../recipes/presets";
import { ablationClaims } from "./ablation-claims";
import type { Claim, ClaimText, Unanswered } from "./claim";
import { transferClaims } from "./transfer-claims";

/**
 * The claims that are judged at a preset: those of docs/claims.md and of the paper's tables. Rows are the preset's own;
 * numbers are printed ones, of the rows of the paper that they are set beside.
 *
 * @throws InputError if the preset has fewer than three sizes of a dictionary: they show no trend
 */
export function claimsOf(preset: Preset): readonly Claim[] {
  const sizes = Math.min(preset.ablations.queueSizes.length, preset.mechanisms.dictionarySizes.length);
  if (sizes < 3) {
    throw new InputError(
      `Cannot ask the claims at preset ${preset.name}: it must have three sizes of a dictionary or more, current count is ${sizes}`,
    );
  }
  return [...ablationClaims(preset), ...transferClaims(preset), ...withoutValues];
}

const definition = "not tested";
const tooLarge = "not run at this scale";
const oneSeed = "notebook 05 studies it with one seed, which tests nothing";

/** Claims that no table of the kit has values for. */
const withoutValues: readonly Claim[] = [
  without(definition, {
    id: "S8",
    statement: "The queue makes the size of the dictionary independent of the batch.",
    by: "common claim",
    source: "section 3.2",
    reason: "true by construction: moco table queue-size trains every K with one batch; notebook 01 has its cost",
  }),
  without(definition, {
    id: "S9",
    statement: "The principle: θ_k ← m θ_k + (1 − m) θ_q, and InfoNCE as a (K+1)-way softmax classifier.",
    by: "common claim",
    source: "equations 1 and 2",
    reason: "a definition; test/methods/trajectory.test.ts holds it to PyTorch step by step",
  }),
  without(tooLarge, {
    id: "D3",
    statement: "Older keys come from older encoders, and that matters.",
    by: "common doubt",
    source: "section 3.2",
    reason: oneSeed,
  }),
  without(tooLarge, {
    id: "D4",
    statement: "The best m takes a costly search.",
    by: "common doubt",
    source: "section 4.1, momentum",
    reason: oneSeed,
  }),
  without(tooLarge, {
    id: "D5",
    statement: "How InfoNCE relates to mutual information is left open.",
    by: "common doubt",
    source: "equation 1",
    reason: oneSeed,
  }),
  without(definition, {
    id: "D6",
    statement: "It is not shown that the method holds beyond images.",
    by: "common doubt",
    source: "not in the paper",
    reason: "out of scope",
  }),
  without(tooLarge, {
    id: "D7",
    statement: "The gap is not closed in all tasks.",
    by: "common doubt",
    source: "Tables 2, 5 and 6",
    reason: "six of the nine tasks are not built; notebook 07 counts the printed figures of all nine",
  }),
];

function without(
  verdict: Unanswered["verdict"],
  { reason, ...text }: Omit<ClaimText, "reference"> & Pick<Unanswered, "reason">,
): Claim {
  return { ...text, reference: undefined, family: "without values", question: { verdict, reason } };
}
