import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { z } from "zod";
import { InputError } from "../errors";
import { replaceFile } from "./replace-file";

/** Name of the checksum in a JSON object. */
const checksumField = "sha256";

/** An object with a checksum of itself: SHA-256 of its JSON text without spaces. */
export function withChecksum<T extends object>(value: T): T & { readonly sha256: string } {
  return { ...value, [checksumField]: checksumOf(value) };
}

/**
 * Writes an object with its checksum, durably as {@link replaceFile} does.
 *
 * @param spaces - of indentation; 0 writes one line
 */
export function writeCheckedJson(path: string, value: object, spaces = 0): void {
  replaceFile(path, `${JSON.stringify(withChecksum(value), null, spaces)}\n`);
}

export interface CheckedJsonKind {
  /** What the file holds, for messages: "run", "manifest". */
  readonly what: string;
  /** What to do about a file that cannot be read, as a sentence without its end: "Delete the file to evaluate again". */
  readonly advice: string;
}

/**
 * Reads what {@link writeCheckedJson} wrote.
 *
 * @returns undefined if there is no such file
 * @throws InputError if the file is no JSON, has no checksum, has another content than the one that its checksum was made
 * of, or does not fit the schema
 */
export function readCheckedJson<T>(
  path: string,
  schema: z.ZodType<T, z.ZodTypeDef, unknown>,
  { what, advice }: CheckedJsonKind,
): T | undefined {
  if (!existsSync(path)) return undefined;
  const fail = (problem: string, cause?: unknown): never => {
    throw new InputError(`Cannot read the ${what} ${path}: ${problem}. ${advice}`, { cause });
  };
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    fail("it is not JSON", cause);
  }
  const problem = faultOf(json);
  if (problem !== undefined) fail(problem);
  const { [checksumField]: _, ...content } = json as Record<string, unknown>;
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const { path: field, message } = parsed.error.issues[0]!;
  return fail(`${field.join(".") || "content"}: ${message}`);
}

/** What is wrong with something that was read from JSON and should have the checksum of {@link withChecksum}. */
function faultOf(json: unknown): string | undefined {
  if (typeof json !== "object" || json === null || !(checksumField in json)) {
    return "it has no checksum, so it was cut, or written by an older version of the kit";
  }
  const { [checksumField]: checksum, ...rest } = json as Record<string, unknown>;
  return checksum === checksumOf(rest) ? undefined : "its content is not the one that its checksum was made of";
}

/** SHA-256 of a value's JSON text, in hexadecimal. */
export function checksumOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

/**
 * Parses a JSON file that has no checksum in it; packed where its name ends in ".gz".
 *
 * @throws InputError if it cannot be read or is no JSON
 */
export function readJson(path: string): unknown {
  try {
    const bytes = readFileSync(path);
    return JSON.parse((path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8"));
  } catch (cause) {
    throw new InputError(`Cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
