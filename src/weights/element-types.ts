import type { Fail } from "./read-failure";

/** Types of numbers that files of tensors hold. */
export type ElementType =
  "float32" | "float64" | "float16" | "bfloat16" | "int64" | "int32" | "int16" | "int8" | "uint8" | "bool";

/** Bytes of one number. */
export const elementBytes: Readonly<Record<ElementType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/**
 * Reads little-endian numbers. Floating point of every width becomes float32 without a change of value.
 *
 * @param name - whose numbers they are, for messages
 * @param fail - called where float32 cannot hold a float64 exactly, and for integers other than int64
 */
export function decodeElements(
  type: ElementType,
  bytes: Uint8Array,
  name: string,
  fail: Fail,
): Float32Array | BigInt64Array {
  // A copy: the bytes need not start at a multiple of the element's size.
  const buffer = new Uint8Array(bytes).buffer;
  switch (type) {
    case "float32":
      return new Float32Array(buffer);
    case "int64":
      return new BigInt64Array(buffer);
    case "float16":
      return fromBits(new Uint16Array(buffer), float16Bits);
    case "bfloat16":
      return fromBits(new Uint16Array(buffer), (bits) => bits << 16);
    case "float64": {
      const doubles = new Float64Array(buffer);
      const values = Float32Array.from(doubles);
      const changed = doubles.findIndex((value, index) => !Object.is(values[index], value));
      if (changed >= 0) {
        fail(
          `"${name}" has float64 numbers that float32 cannot hold, for example ${doubles[changed]}: save it as float32`,
        );
      }
      return values;
    }
    default:
      return fail(`"${name}" is of type ${type}: only floating point and int64 are read`);
  }
}

function fromBits(halves: Uint16Array, bitsOf: (half: number) => number): Float32Array {
  return new Float32Array(Uint32Array.from(halves, bitsOf).buffer);
}

/** The float32 bits of a float16: IEEE 754 binary16 to binary32. */
function float16Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  let fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13); // infinite, or no number
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13); // 112: the difference of the biases
  if (fraction === 0) return sign;
  // Subnormal in float16, normal in float32.
  let shifted = 113;
  for (; (fraction & 0x400) === 0; fraction <<= 1) shifted--;
  return sign | (shifted << 23) | ((fraction & 0x3ff) << 13);
}
