import { hashed } from "../nn/hashed";

const sampleSize = 48;

/** The values that test/golden/hashed.py keeps of a tensor: all, or 48 from hashed positions. */
export function sampled(values: Float32Array): Float32Array {
  if (values.length <= sampleSize) return values;
  return hashed(9000, sampleSize, 0, 1).map((share) => values[Math.floor(share * values.length)]!);
}
