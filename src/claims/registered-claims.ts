import { join } from "node:path";
import { z } from "zod";
import { checksumOf, readCheckedJson, writeCheckedJson } from "../files/checked-json";
import type { Preset } from "../recipes/presets";
import type { Claim } from "./claim";

/** File name of the claims of a preset, beside its recorded runs. */
export const registeredClaimsFile = "claims.json";

const schema = z.object({
  claims: z.array(
    z.object({
      id: z.string(),
      /** Of all that the claim is judged by: rows, measure, test, margin, family. */
      checksum: z.string(),
      /** The claim, for a reader. */
      claim: z.unknown(),
    }),
  ),
});

/** A claim as it was written down before the runs that it judges. */
export type RegisteredClaim = z.infer<typeof schema>["claims"][number];

/** Where the claims of a preset are written down. */
export function registeredClaimsPath({ name }: Preset, root: string): string {
  return join(root, name, registeredClaimsFile);
}

/** What a claim is judged by; another wording leaves it the same. */
export function claimChecksum({ id, family, question }: Claim): string {
  return checksumOf([id, family, question]);
}

/**
 * Writes the claims of a preset down, to be committed before the runs that they judge: `moco verify` then asks git whether
 * they were.
 */
export function registerClaims(path: string, claims: readonly Claim[]): void {
  const entries = claims.map((claim) => ({ id: claim.id, checksum: claimChecksum(claim), claim }));
  writeCheckedJson(path, { claims: entries }, 1);
}

/**
 * Reads what {@link registerClaims} wrote.
 *
 * @returns undefined if there is none
 * @throws InputError if the file is not what was written
 */
export function readRegisteredClaims(path: string): readonly RegisteredClaim[] | undefined {
  const read = readCheckedJson(path, schema, {
    what: "registered claims",
    advice: "Run moco claims --register to write them again",
  });
  return read?.claims;
}
