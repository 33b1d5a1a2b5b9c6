/** An entry of a tar archive. */
export interface TarEntry {
  readonly name: string;
  readonly contents?: Buffer;
  /** Type flag: "0" a file, "5" a folder, "2" a symbolic link, "1" a hard link, "3" a device. @default "0" */
  readonly type?: string;
  readonly link?: string;
  /** The size in the header, where it is not that of the contents. */
  readonly claimed?: number;
}

/** Writes a tar archive (ustar), whatever its entries say. */
export function writeTar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap(({ name, contents = Buffer.alloc(0), type = "0", link = "", claimed }) => {
    const header = Buffer.alloc(512);
    const octal = (value: number, length: number): string => value.toString(8).padStart(length - 1, "0");
    header.write(name, 0, 100);
    header.write(octal(0o644, 8), 100);
    header.write(octal(0, 8), 108);
    header.write(octal(0, 8), 116);
    header.write(octal(claimed ?? contents.length, 12), 124);
    header.write(octal(0, 12), 136);
    header.write(" ".repeat(8), 148);
    header.write(type, 156);
    header.write(link, 157, 100);
    header.write("ustar\0" + "00", 257, "latin1");
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${octal(sum, 7)}\0 `, 148);
    return [header, contents, Buffer.alloc((512 - (contents.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
