import { createHash } from "node:crypto";
import type { StoredTensor } from "./safetensors";

/** Name of the checksum among the metadata of a file. */
export const checksumField = "moco-kit sha256";

/**
 * SHA-256 in hexadecimal over all that a file of tensors says: the JSON text of its metadata and of its tensors' names,
 * types and shapes, both in the order of their names, then the tensors' bytes in the same order.
 *
 * A program that lays the same content out in another order leaves it as it is.
 *
 * @param metadata - without the checksum
 */
export function contentChecksum(
  tensors: Iterable<readonly [string, StoredTensor]>,
  metadata: Readonly<Record<string, string>>,
): string {
  const sorted = [...tensors].sort(byName);
  const facts = [
    Object.entries(metadata).sort(byName),
    sorted.map(([name, { values, shape }]) => [name, values instanceof Float32Array ? "F32" : "I64", shape]),
  ];
  const hash = createHash("sha256").update(JSON.stringify(facts));
  for (const [, { values }] of sorted) {
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex");
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}
