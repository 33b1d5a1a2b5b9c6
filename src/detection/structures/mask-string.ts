import { InputError } from "../../errors";
import type { Rle } from "./mask-rle";

/*
 * COCO's compressed counts: from the fourth on, a count is written as its difference from the count two before it. A number
 * is written in groups of 5 bits, lowest first, each as one character: 48 + bits, + 32 where more groups follow. The fifth
 * bit of the last group is the sign.
 */
const zero = 48;
const more = 32;
const sign = 16;

/** The counts as the string that COCO files hold. */
export function compressCounts(counts: Rle["counts"]): string {
  const codes: number[] = [];
  counts.forEach((count, index) => {
    let rest = index > 2 ? count - counts[index - 2]! : count;
    for (;;) {
      const group = ((rest % 32) + 32) % 32;
      rest = Math.floor(rest / 32);
      const done = rest === (group & sign ? -1 : 0);
      codes.push(zero + group + (done ? 0 : more));
      if (done) break;
    }
  });
  return codes.map((code) => String.fromCharCode(code)).join("");
}

/**
 * Reads counts from the string that COCO files hold.
 *
 * @throws InputError when a character is none of the format, the last number is cut off, or a count is negative
 */
export function parseCounts(text: string): Uint32Array {
  const counts: number[] = [];
  let value = 0;
  let scale = 1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at) - zero;
    if (code < 0 || code > 63) {
      throw new InputError(
        `Cannot read compressed counts: characters must lie from "0" to "o", current one at ${at} is ${JSON.stringify(text[at])}`,
      );
    }
    value += (code & 31) * scale;
    scale *= 32;
    if (code & more) continue;
    if (code & sign) value -= scale;
    if (counts.length > 2) value += counts[counts.length - 2]!;
    if (value < 0 || value >= 2 ** 32) {
      throw new InputError(
        `Cannot read compressed counts: a count must lie from 0 to ${2 ** 32 - 1}, current count ${counts.length} is ${value}`,
      );
    }
    counts.push(value);
    value = 0;
    scale = 1;
  }
  if (scale !== 1) throw new InputError("Cannot read compressed counts: the last number must be whole, it is cut off");
  return Uint32Array.from(counts);
}
