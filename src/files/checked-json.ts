import { createHash } from "node:crypto";

/** Name of the checksum in a JSON object. */
const checksumField = "sha256";

/** An object with a checksum of itself: SHA-256 of its JSON text without spaces. */
export function withChecksum<T extends object>(value: T): T & { readonly sha256: string } {
  return { ...value, [checksumField]: checksumOf(value) };
}

/**
 * Whether something that was read from JSON is what {@link withChecksum} was given. Without a checksum, as files of earlier
 * versions are, it is taken as it is.
 */
export function isUnchanged(value: unknown): boolean {
  if (typeof value !== "object" || value === null || !(checksumField in value)) return true;
  const { [checksumField]: checksum, ...rest } = value as Record<string, unknown>;
  return checksum === checksumOf(rest);
}

/** What {@link withChecksum} was given. */
export function withoutChecksum(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const { [checksumField]: _, ...rest } = value as Record<string, unknown>;
  return rest;
}

/** SHA-256 of a value's JSON text, in hexadecimal. */
export function checksumOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
