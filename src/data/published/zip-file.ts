import { createReadStream } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import type { Readable } from "node:stream";
import { fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from "yauzl";

/**
 * Opens a zip archive for yauzl. A place outside of the file is an error: yauzl's own reader asks Node for it, which throws
 * where nothing can catch it if the place is beyond 2^53, as zip64 can claim.
 *
 * @throws Error if it is no zip archive
 */
export async function openZip(path: string): Promise<ZipFile> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const reader = new FileReader(path, file, size);
    return await fromRandomAccessReaderPromise(reader, size, { lazyEntries: true, strictFileNames: true });
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
}

class FileReader extends RandomAccessReader {
  constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    private readonly size: number,
  ) {
    super();
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return createReadStream(this.path, { start, end: end - 1 });
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    if (!(position >= 0 && position + length <= this.size)) {
      return void setImmediate(callback, new Error("it names a place outside of itself"));
    }
    this.file
      .read(buffer, offset, length, position)
      .then(({ bytesRead }) => callback(bytesRead < length ? new Error("it is cut short") : null), callback);
  }

  override close(callback: (error: Error | null) => void): void {
    this.file.close().then(() => callback(null), callback);
  }
}
