import { createHash } from "node:crypto";
import type { Encoder } from "../nn/encoder";

/** SHA-256 over weights and running averages, in hexadecimal: the same network in another file has the same. */
export function encoderChecksum({ parameters, running }: Encoder): string {
  const hash = createHash("sha256");
  for (const { values } of [parameters, running]) hash.update(new Uint8Array(values.dataSync().slice().buffer));
  return hash.digest("hex");
}
