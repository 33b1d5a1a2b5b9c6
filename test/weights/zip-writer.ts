import { crc32 } from "node:zlib";

/** Changes to a well-made archive. */
export interface ZipOptions {
  /** Compression that the entries claim. @default 0 */
  readonly method?: number;
  /** Flags that the entries claim. @default 0 */
  readonly flags?: number;
  /** Whether sizes and places are in zip64 records. @default false */
  readonly zip64?: boolean;
}

/** Writes a zip archive without compression. */
export function writeStoredZip(
  entries: readonly (readonly [name: string, contents: Buffer])[],
  { method = 0, flags = 0, zip64 = false }: ZipOptions = {},
): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let position = 0;
  for (const [name, contents] of entries) {
    const sizes = zip64 ? [0xffffffff, 0xffffffff] : [contents.length, contents.length];
    const common = [
      numbers(2, 0, flags, method, 0, 0), // version, flags, method, time, date
      numbers(4, crc32(contents), ...sizes),
      numbers(2, Buffer.byteLength(name)),
    ];
    const wide = zip64
      ? Buffer.concat([numbers(2, 1, 24), numbers(8, contents.length, contents.length, position)])
      : "";
    const local = [numbers(4, 0x04034b50), ...common, numbers(2, 0), Buffer.from(name), contents];
    directory.push(
      ...[numbers(4, 0x02014b50), numbers(2, 0), ...common, numbers(2, wide.length, 0, 0, 0)],
      ...[numbers(4, 0, zip64 ? 0xffffffff : position), Buffer.from(name), Buffer.from(wide)],
    );
    locals.push(...local);
    position += Buffer.concat(local).length;
  }
  const [count, size] = [entries.length, Buffer.concat(directory).length];
  const end64 = [
    numbers(4, 0x06064b50),
    numbers(8, 44),
    numbers(2, 45, 45),
    numbers(4, 0, 0),
    numbers(8, count, count, size, position),
    numbers(4, 0x07064b50, 0),
    numbers(8, position + size),
    numbers(4, 1),
  ];
  const end = zip64 ? [0xffff, 0xffffffff, 0xffffffff] : [count, size, position];
  return Buffer.concat([
    ...locals,
    ...directory,
    ...(zip64 ? end64 : []),
    ...[numbers(4, 0x06054b50), numbers(2, 0, 0, end[0]!, end[0]!), numbers(4, end[1]!, end[2]!), numbers(2, 0)],
  ]);
}

/** Little-endian integers of so many bytes each. */
function numbers(width: 2 | 4 | 8, ...values: readonly number[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt(value));
      return bytes.subarray(0, width);
    }),
  );
}
