import type { Random } from "../../src/engine/random";

/** Texts that readers trip over, put into the midst of a file. */
const traps = [
  "1e999",
  "-1",
  "NaN",
  "__proto__",
  "9007199254740993",
  "null",
  "[[[[[[[[",
  '"',
  "\0",
  "\u202e",
  "<!ENTITY a 'b'>",
];

/** A file with one to three changes: bits flipped, bytes set, cut out, doubled or put in, the end cut off. */
export function mutateBytes(original: Uint8Array, random: Random): Buffer {
  let bytes = Buffer.from(original);
  for (let change = random.integer(3); change >= 0; change--) {
    // Half of them near the start, where formats keep their sizes.
    const at = random.integer(random.integer(2) === 0 ? Math.min(bytes.length, 400) + 1 : bytes.length + 1);
    const around = (inner: Uint8Array, from: number) =>
      Buffer.concat([bytes.subarray(0, at), inner, bytes.subarray(from)]);
    const changes: readonly (() => Buffer)[] = [
      () => around(Buffer.from([(bytes[at] ?? 0) ^ (1 << random.integer(8))]), at + 1),
      () => around(Buffer.from([[0, 0x28, 0x2e, 127, 128, 255][random.integer(6)]!]), at + 1),
      () => around(Buffer.alloc(8, 255), at + 8),
      () => around(Buffer.alloc(0), at + random.integer(20)),
      () => around(bytes.subarray(at, at + random.integer(50)), at),
      () => around(Buffer.from(traps[random.integer(traps.length)]!), at),
      () => bytes.subarray(0, at),
    ];
    bytes = Buffer.from(changes[random.integer(changes.length)]!());
  }
  return bytes;
}
