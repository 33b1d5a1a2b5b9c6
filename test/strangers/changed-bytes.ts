import fc from "fast-check";

/** Texts that readers trip over, put into the midst of a file. */
const traps = [
  ...["1e999", "-1", "NaN", "-0", "0x10", "9007199254740993", "null", "__proto__", "constructor", "toString"],
  ...["[[[[[[[[", "]", "}", '"', "\0", "\u202e", "\u001b[2J", "<script>", "<!ENTITY a 'b'>", "&a;", "../", "=1+1"],
];

const kinds = ["flip", "set", "cut", "insert", "duplicate", "end", "length"] as const;

/** A change of some bytes of a file: plain data, so that a failing case is shown in a line. */
export interface ByteChange {
  readonly kind: (typeof kinds)[number];
  /** Whether it is near the start, where formats keep their sizes. */
  readonly nearStart: boolean;
  readonly at: number;
  readonly amount: number;
  readonly trap: string;
}

/** One of some files, and up to four changes to it: bits flipped, bytes set, cut, put in, doubled, the end cut off, lengths. */
export interface ChangedFile {
  readonly file: number;
  readonly changes: readonly ByteChange[];
}

/** Undefined in most cases. */
export function sometimes<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
}

/** @param count - how many files there are */
export function changedFiles(count: number): fc.Arbitrary<ChangedFile> {
  const change = fc.record({
    kind: fc.constantFrom(...kinds),
    nearStart: fc.boolean(),
    at: fc.nat(),
    amount: fc.nat(255),
    trap: fc.constantFrom(...traps),
  });
  // Mostly one: a reader refuses a file for the first thing that is wrong with it. One file in twenty is whole.
  const changes = fc.oneof(
    { weight: 13, arbitrary: fc.tuple(change) },
    { weight: 6, arbitrary: fc.array(change, { minLength: 2, maxLength: 4 }) },
    { weight: 1, arbitrary: fc.constant<readonly ByteChange[]>([]) },
  );
  return fc.record({ file: fc.nat(count - 1), changes });
}

/** The file after its changes. */
export function changeBytes(original: Uint8Array, changes: readonly ByteChange[]): Buffer {
  return changes.reduce((bytes, { kind, nearStart, at: place, amount, trap }) => {
    const at = place % ((nearStart ? Math.min(bytes.length, 400) : bytes.length) + 1);
    const around = (inner: Uint8Array, from: number) =>
      Buffer.concat([bytes.subarray(0, at), inner, bytes.subarray(from)]);
    switch (kind) {
      case "flip":
        return around(Buffer.from([(bytes[at] ?? 0) ^ (1 << (amount % 8))]), at + 1);
      case "set":
        return around(Buffer.from([amount]), at + 1);
      case "cut":
        return around(Buffer.alloc(0), at + amount);
      case "insert":
        return around(Buffer.from(trap), at);
      case "duplicate":
        return around(bytes.subarray(at, at + amount), at);
      case "end":
        return bytes.subarray(0, at);
      case "length":
        return around(Buffer.alloc(1 + (amount % 8), 255), at + 1 + (amount % 8));
    }
  }, Buffer.from(original));
}
