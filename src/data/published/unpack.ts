import { once, setMaxListeners } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Parser, type ReadEntry } from "tar";
import type { Entry, ZipFile } from "yauzl";
import { InputError } from "../../errors";
import { openZip } from "./zip-file";

/** Limits of {@link unpack}, against archives that are made to fill the disk. */
export interface UnpackOptions {
  /** All files together. */
  readonly maximumBytes: number;
  readonly maximumEntries: number;
  /** Archives in a tar archive are unpacked too, each into a folder of its name, as for ImageNet's training images. */
  readonly nested?: boolean | undefined;
  /** Stops it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks an archive (.zip, .tar, .tar.gz, .tgz) into a folder. Nothing is written outside of it.
 *
 * @throws InputError if the archive is damaged, or has a name that leads out of the folder, a link, a device, or more than
 *   the limits allow
 */
export async function unpack(archive: string, folder: string, options: UnpackOptions): Promise<void> {
  const writer = new EntryWriter(archive, folder, options);
  try {
    if (archive.endsWith(".zip")) await readZip(archive, writer);
    else await readTar(createReadStream(archive), "", writer, options.nested ?? false);
  } catch (error) {
    options.signal?.throwIfAborted();
    const code = error instanceof Error && "syscall" in error ? (error as NodeJS.ErrnoException).code : undefined;
    if (code !== undefined && namesFault.has(code)) {
      return writer.refuse(
        `it has a file whose name cannot be written, or is that of another or of a folder (${code})`,
      );
    }
    if (error instanceof InputError || code !== undefined) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`Cannot unpack ${archive}: it is damaged, get it again: ${reason}`, { cause: error });
  }
}

/** What a system says to the names of an archive, not to the disk they are written to. */
const namesFault: ReadonlySet<string> = new Set(["ENAMETOOLONG", "ENOTDIR", "EISDIR", "EEXIST", "EILSEQ"]);

/** Writes entries, and refuses those that are unsafe. */
class EntryWriter {
  private bytes = 0;
  private entries = 0;
  /** Ends every writing that is under way: nothing is written after an archive was refused. */
  private readonly stopping = new AbortController();
  readonly signal: AbortSignal;
  private readonly made = new Set<string>();

  constructor(
    private readonly archive: string,
    private readonly folder: string,
    private readonly limits: UnpackOptions,
  ) {
    this.signal = limits.signal ? AbortSignal.any([this.stopping.signal, limits.signal]) : this.stopping.signal;
    // As many listeners as files are being written, and archives inside the archive read.
    setMaxListeners(0, this.signal);
  }

  /** Counts an entry, and gives the path it may be written to. */
  admit(name: string, size: number): string {
    this.signal.throwIfAborted();
    this.bytes += size;
    this.entries++;
    if (this.entries > this.limits.maximumEntries)
      return this.refuse(`it has more than ${this.limits.maximumEntries} files`);
    if (this.bytes > this.limits.maximumBytes) {
      return this.refuse(`its files have more than ${this.limits.maximumBytes} bytes`);
    }
    const parts = name.split(/[/\\]/);
    if (name.startsWith("/") || /^[a-z]:/i.test(name) || name.includes("\0") || parts.includes("..")) {
      return this.refuse(`its entry ${shown(name)} leads out of the folder`);
    }
    return join(this.folder, ...parts);
  }

  async makeFolder(path: string): Promise<void> {
    if (this.made.has(path)) return;
    await mkdir(path, { recursive: true });
    this.made.add(path);
  }

  async write(path: string, contents: NodeJS.ReadableStream): Promise<void> {
    await this.makeFolder(dirname(path));
    this.signal.throwIfAborted();
    const file = createWriteStream(path);
    const closed = once(file, "close");
    try {
      await pipeline(contents, file, { signal: this.signal });
    } finally {
      await closed.catch(() => undefined);
    }
  }

  stop(reason: Error): void {
    this.stopping.abort(reason);
  }

  refuse(problem: string): never {
    throw new InputError(`Cannot unpack ${this.archive}: ${problem}; it is not the archive it should be`);
  }
}

/** @param into - folder below the writer's, empty or ending in "/" */
async function readTar(
  source: NodeJS.ReadableStream,
  into: string,
  writer: EntryWriter,
  nested: boolean,
): Promise<void> {
  const writes = new Set<Promise<void>>();
  let fault: Error | undefined;
  const { signal } = writer;
  await new Promise<void>((resolve, reject) => {
    const stop = (error: unknown): void => {
      fault ??= error instanceof Error ? error : new Error(String(error));
      source.unpipe();
      if ("destroy" in source) (source as Readable).destroy();
      writer.stop(fault);
      reject(fault);
    };
    // An archive inside of another waits for bytes that will not come.
    signal.addEventListener("abort", () => stop(signal.reason));
    const parser = new Parser({
      strict: true,
      onReadEntry: (entry) => {
        const written = keep(entry)
          .catch(stop)
          .finally(() => writes.delete(written));
        writes.add(written);
      },
    });
    const keep = async (entry: ReadEntry): Promise<void> => {
      const isArchive = nested && entry.path.endsWith(".tar");
      // Of an archive its files are counted: the archive itself is not written.
      const path = writer.admit(into + entry.path, isArchive ? 0 : entry.size);
      if (entry.type === "Directory") {
        entry.resume();
        return writer.makeFolder(path);
      }
      if (entry.type !== "File" && entry.type !== "OldFile") {
        return writer.refuse(`its entry ${shown(entry.path)} is of type ${entry.type}, files and folders are taken`);
      }
      const contents = entry as unknown as NodeJS.ReadableStream;
      if (isArchive) {
        return readTar(contents, `${into}${basename(entry.path, ".tar")}/`, writer, false);
      }
      return writer.write(path, contents);
    };
    parser.on("error", stop);
    source.on("error", stop);
    parser.on("end", resolve);
    source.pipe(parser);
  }).catch(() => undefined);
  // The last files are written after the archive has been read.
  await Promise.allSettled(writes);
  if (fault !== undefined) throw fault;
}

async function readZip(archive: string, writer: EntryWriter): Promise<void> {
  const zip = await openZip(archive);
  await new Promise<void>((resolve, reject) => {
    zip.on("error", reject);
    zip.on("end", resolve);
    zip.on("entry", (entry: Entry) => {
      keepZipped(zip, entry, writer).then(
        () => zip.readEntry(),
        (error: unknown) => {
          zip.close();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
    zip.readEntry();
  });
}

/** In the upper half of an entry's attributes, for archives made on Unix: the type of file. */
const fileTypeMask = 0xf000;
const regularFile = 0x8000;

async function keepZipped(zip: ZipFile, entry: Entry, writer: EntryWriter): Promise<void> {
  const name = entry.fileName;
  const path = writer.admit(name, entry.uncompressedSize);
  if (name.endsWith("/")) return writer.makeFolder(path);
  const type = (entry.externalFileAttributes >>> 16) & fileTypeMask;
  if (type !== 0 && type !== regularFile) return writer.refuse(`its entry ${shown(name)} is a link or a device`);
  const contents = await new Promise<Readable>((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
  return writer.write(path, contents);
}

/** Quoted as JSON, so that no control character reaches a terminal. */
function shown(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}
