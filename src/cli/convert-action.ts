import { checkpointIn } from "../train/pretrain";
import { nameParts, partsOf } from "../weights/checkpoint-names";
import { assertWhole, describeEncoder } from "../weights/encoder-weights";
import { readWeights, writeWeights } from "../weights/weights-file";
import type { ConvertFlags } from "./convert";

/** What `moco convert` does. */
export function convertWeights(given: string, output: string, { to, json }: ConvertFlags): void {
  const input = checkpointIn(given);
  const read = readWeights(input);
  const parts = partsOf(read, input);
  const encoder = assertWhole(parts, input);
  const written = nameParts(parts, to);
  writeWeights(output, written);
  const tensors = { read: read.tensors.size, written: written.size };
  const { naming: from, leftOut } = parts;
  if (json) return console.log(JSON.stringify({ input, from, output, to, encoder, tensors, leftOut }, null, 2));
  console.log(
    `${describeEncoder(encoder)}\n` +
      `${input}: ${tensors.read} tensors with names of ${from}\n` +
      (leftOut.length > 0 ? `left out, since they belong to no encoder: ${leftOut.join(", ")}\n` : "") +
      `${output}: ${tensors.written} tensors with names of ${to}`,
  );
}
