import { createHash } from "node:crypto";
import { closeSync, createReadStream, openSync, rmSync, writeFileSync } from "node:fs";
import { readFile, rename, rm, stat } from "node:fs/promises";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { EnvHttpProxyAgent, interceptors, request, type Dispatcher } from "undici";
import { InputError } from "../../errors";

/** The checksum of a file as its publisher gives it, in hexadecimal. */
export interface Checksum {
  readonly algorithm: "md5" | "sha1" | "sha256";
  readonly hex: string;
}

/** How a download goes. */
export interface DownloadProgress {
  readonly file: string;
  readonly bytes: number;
  readonly totalBytes: number;
}

/** Options of {@link download}. */
export interface DownloadOptions {
  /** Where the file is put once it is whole and right; until then it grows beside, as `PATH.part`. */
  readonly path: string;
  readonly bytes: number;
  readonly checksum: Checksum;
  /** Seconds without a byte after which a transfer is begun anew. @default 30 */
  readonly stallSeconds?: number;
  /** Tries in a row that bring nothing new before it gives up. @default 5 */
  readonly tries?: number;
  /** Seconds before the second try; doubles with each, up to 30. @default 1 */
  readonly waitSeconds?: number;
  readonly onProgress?: (progress: DownloadProgress) => void;
}

const longestWaitSeconds = 30;
const maximumRedirections = 5;

/** Answers after which the same request may succeed: time-outs, too many requests, faults of the server. */
const isPassing = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/** Faults of the disk, which no other try gets over: it is full, read-only, or not ours. */
const diskCodes = new Set(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "ENOENT", "EISDIR", "EIO"]);
const isOfDisk = (error: unknown): boolean =>
  error instanceof Error && "code" in error && diskCodes.has(String(error.code));

/** A fault that another try may get over. */
class PassingFault extends Error {}

/**
 * Downloads a file as a stream, and checks its size and checksum before it appears under its name.
 *
 * What a broken transfer has brought is kept and gone on from (HTTP ranges), also by the next call. A server that ignores
 * ranges, or whose file has changed in between (its ETag or date says so), makes it start over. The proxy that
 * the environment names (HTTP_PROXY, HTTPS_PROXY, NO_PROXY) is used.
 *
 * @throws InputError if the server refuses, has another file, or brings nothing new for several tries
 */
export async function download(url: string, options: DownloadOptions): Promise<void> {
  const { path, bytes, checksum, stallSeconds = 30, tries = 5, waitSeconds = 1, onProgress } = options;
  const part = `${path}.part`;
  const file = basename(path);
  const timeout = stallSeconds * 1000;
  const agent = new EnvHttpProxyAgent({ headersTimeout: timeout, bodyTimeout: timeout, connect: { timeout } });
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: maximumRedirections }));
  let most = await sizeOf(part);
  let failures = 0;
  let wrongBefore = false;
  try {
    for (;;) {
      try {
        if ((await sizeOf(part)) < bytes) {
          await transfer(url, part, bytes, dispatcher, (done) =>
            onProgress?.({ file, bytes: done, totalBytes: bytes }),
          );
        }
      } catch (error) {
        if (error instanceof InputError || isOfDisk(error)) throw error;
        const reached = await sizeOf(part);
        failures = reached > most ? 1 : failures + 1;
        most = Math.max(most, reached);
        if (failures >= tries) throw gaveUp(url, tries, error);
        await sleep(1000 * Math.min(longestWaitSeconds, waitSeconds * 2 ** (failures - 1)));
        continue;
      }
      const problem = await fileProblem(part, bytes, checksum);
      if (problem === undefined) break;
      forget(part);
      // Once: parts of two versions of the file may have been joined.
      if (wrongBefore) {
        throw new InputError(
          `Cannot use the download: ${url} ${problem}. The server's file is not the published one; try --mirror with another server`,
        );
      }
      wrongBefore = true;
      most = 0;
    }
  } finally {
    await agent.destroy();
  }
  await rename(part, path);
  await rm(stampOf(part), { force: true });
}

/** What is wrong with a file: "must have ..., current ... is ..."; undefined if it is the published one. */
export async function fileProblem(
  path: string,
  bytes: number | undefined,
  checksum: Checksum,
): Promise<string | undefined> {
  const size = await sizeOf(path);
  if (bytes !== undefined && size !== bytes) return `must have ${bytes} bytes, current size is ${size}`;
  const hash = createHash(checksum.algorithm);
  await pipeline(createReadStream(path), hash);
  const found = hash.digest("hex");
  if (found === checksum.hex) return undefined;
  return `must have the ${checksum.algorithm.toUpperCase()} ${checksum.hex}, current value is ${found}`;
}

/** Gets what is missing of a file, in one request. */
async function transfer(
  url: string,
  part: string,
  bytes: number,
  dispatcher: Dispatcher,
  onBytes: (done: number) => void,
): Promise<void> {
  const start = await sizeOf(part);
  const validator = start > 0 ? await readFile(stampOf(part), "utf8").catch(() => "") : "";
  const { statusCode, headers, body } = await request(url, {
    dispatcher,
    headers: {
      // Ranges count the bytes of the file, not of a compressed answer.
      "accept-encoding": "identity",
      ...(start > 0 && { range: `bytes=${start}-` }),
      ...(validator !== "" && { "if-range": validator }),
    },
  });
  // What goes wrong while it is read is thrown below; a body that nobody reads fails alone when it is destroyed.
  body.on("error", () => undefined);
  try {
    if (statusCode === 206 && start > 0) {
      const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(String(headers["content-range"]));
      if (Number(range?.[1]) !== start || (range![2] !== "*" && Number(range![2]) !== bytes)) {
        forget(part);
        throw new PassingFault(`it answered with another part, ${String(headers["content-range"])}`);
      }
    } else if (statusCode === 200) {
      const length = headers["content-length"];
      if (length !== undefined && Number(length) !== bytes) {
        throw new InputError(
          `Cannot download ${url}: the file must have ${bytes} bytes, the server's has ${String(length)}; it is not the ` +
            "published one, try --mirror with another server",
        );
      }
      forget(part);
      writeFileSync(stampOf(part), validatorOf(headers));
    } else if (statusCode === 416) {
      forget(part);
      throw new PassingFault("it has no such part of the file");
    } else if (isPassing(statusCode)) {
      throw new PassingFault(`it answered with status ${statusCode}`);
    } else {
      throw new InputError(
        `Cannot download ${url}: the server answered with status ${statusCode}; check the address, or try --mirror with another server`,
      );
    }
    let done = statusCode === 206 ? start : 0;
    const output = openSync(part, statusCode === 206 ? "a" : "w");
    try {
      await new Promise<void>((resolve, reject) => {
        body.on("error", reject).on("end", resolve);
        // Written at once: a transfer that is cut drops what waits in a stream.
        body.on("data", (chunk: Buffer) => {
          // More than there can be would only fill the disk.
          if (done + chunk.length > bytes) return reject(new PassingFault(`it sent more than ${bytes} bytes`));
          try {
            writeFileSync(output, chunk);
          } catch (error) {
            return reject(error instanceof Error ? error : new Error(String(error)));
          }
          done += chunk.length;
          onBytes(done);
        });
      });
    } finally {
      closeSync(output);
    }
    if (done < bytes) throw new PassingFault(`it sent ${done} of ${bytes} bytes`);
  } finally {
    body.destroy();
  }
}

/** What tells versions of a file apart: a strong ETag, else its date; empty where the server gives none. */
function validatorOf(headers: Readonly<Record<string, string | string[] | undefined>>): string {
  const etag = headers["etag"];
  if (typeof etag === "string" && etag.startsWith('"')) return etag;
  const date = headers["last-modified"];
  return typeof date === "string" ? date : "";
}

function stampOf(part: string): string {
  return `${part}.version`;
}

function forget(part: string): void {
  rmSync(part, { force: true });
  rmSync(stampOf(part), { force: true });
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

function gaveUp(url: string, tries: number, cause: unknown): InputError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new InputError(
    `Cannot download ${url}: ${tries} tries in a row brought nothing new, the last problem is: ${reason}. ` +
      "Run it again to go on from what there is, or try --mirror with another server",
    { cause },
  );
}
