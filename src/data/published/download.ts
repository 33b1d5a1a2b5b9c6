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
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Stops it; what has come stays. */
  readonly signal?: AbortSignal | undefined;
}

const longestWaitSeconds = 30;
const maximumRedirections = 5;

/** Answers after which the same request may succeed: time-outs, too many requests, faults of the server. */
const isPassing = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/** After as many redirections as are followed, the next one is the answer. */
const isRedirection = (status: number): boolean => status >= 300 && status < 400;

/** undici tells of an address that sends to itself by an error. */
const isRedirectLoop = (error: unknown): boolean => error instanceof Error && error.message.startsWith("Redirect loop");

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
  const { path, bytes, checksum, stallSeconds = 30, signal } = options;
  const part = `${path}.part`;
  const timeout = stallSeconds * 1000;
  const agent = new EnvHttpProxyAgent({ headersTimeout: timeout, bodyTimeout: timeout, connect: { timeout } });
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: maximumRedirections }));
  const problemOfFile = async (): Promise<string | undefined> => {
    await complete(url, part, options, dispatcher);
    const problem = await fileProblem(part, bytes, checksum, signal);
    if (problem !== undefined) forget(part);
    return problem;
  };
  try {
    // Once more: parts of two versions of the file may have been joined.
    const problem = (await problemOfFile()) && (await problemOfFile());
    if (problem !== undefined) {
      throw new InputError(
        `Cannot use the download: ${url} ${problem}. The server's file is not the published one; try --mirror with another server`,
      );
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
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
  signal?: AbortSignal,
): Promise<string | undefined> {
  const size = await sizeOf(path);
  if (bytes !== undefined && size !== bytes) return `must have ${bytes} bytes, current size is ${size}`;
  const hash = createHash(checksum.algorithm);
  await pipeline(createReadStream(path), hash, { signal });
  const found = hash.digest("hex");
  if (found === checksum.hex) return undefined;
  return `must have the ${checksum.algorithm.toUpperCase()} ${checksum.hex}, current value is ${found}`;
}

/** Gets what is missing of a file, in as many requests as that takes. */
async function complete(
  url: string,
  part: string,
  { path, bytes, tries = 5, waitSeconds = 1, onProgress, signal }: DownloadOptions,
  dispatcher: Dispatcher,
): Promise<void> {
  const file = basename(path);
  let most = await sizeOf(part);
  let failures = 0;
  while ((await sizeOf(part)) < bytes) {
    try {
      await transfer(url, part, bytes, { dispatcher, signal }, (done) =>
        onProgress?.({ file, bytes: done, totalBytes: bytes }),
      );
    } catch (error) {
      if (error instanceof InputError || isOfDisk(error) || signal?.aborted) throw error;
      const reached = await sizeOf(part);
      failures = reached > most ? 1 : failures + 1;
      most = Math.max(most, reached);
      if (failures >= tries) throw gaveUp(url, tries, error);
      const wait = Math.min(longestWaitSeconds, waitSeconds * 2 ** (failures - 1));
      await sleep(1000 * wait, undefined, { signal });
    }
  }
}

/** Gets what is missing of a file, in one request. */
async function transfer(
  url: string,
  part: string,
  bytes: number,
  how: { readonly dispatcher: Dispatcher; readonly signal: AbortSignal | undefined },
  onBytes: (done: number) => void,
): Promise<void> {
  const start = await sizeOf(part);
  const validator = start > 0 ? await readFile(stampOf(part), "utf8").catch(() => "") : "";
  const answer = await request(url, {
    ...how,
    headers: {
      // Ranges count the bytes of the file, not of a compressed answer.
      "accept-encoding": "identity",
      ...(start > 0 && { range: `bytes=${start}-` }),
      ...(validator !== "" && { "if-range": validator }),
    },
  }).catch((error: unknown) => {
    throw isRedirectLoop(error) ? refusal(url, sentInCircles) : error;
  });
  // What goes wrong while it is read is thrown below; a body that nobody reads fails alone when it is destroyed.
  answer.body.on("error", () => undefined);
  try {
    await writeBody(answer.body, part, firstByte(answer, url, part, start, bytes), bytes, onBytes);
  } finally {
    answer.body.destroy();
  }
}

const sentInCircles = "sends from one address to the next without end";

/** Interprets an answer: which byte of the file its body begins with. If not the one asked for, what there was is removed. */
function firstByte(
  { statusCode, headers }: Pick<Dispatcher.ResponseData, "statusCode" | "headers">,
  url: string,
  part: string,
  start: number,
  bytes: number,
): number {
  if (statusCode === 206 && start > 0) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(String(headers["content-range"]));
    if (Number(range?.[1]) === start && (range![2] === "*" || Number(range![2]) === bytes)) return start;
    forget(part);
    throw new PassingFault(`it answered with another part, ${String(headers["content-range"])}`);
  }
  if (statusCode === 200) {
    const length = headers["content-length"];
    if (length !== undefined && Number(length) !== bytes) {
      throw new InputError(
        `Cannot download ${url}: the file must have ${bytes} bytes, the server's has ${String(length)}; it is not the ` +
          "published one, try --mirror with another server",
      );
    }
    forget(part);
    writeFileSync(stampOf(part), validatorOf(headers));
    return 0;
  }
  if (statusCode === 416) {
    forget(part);
    throw new PassingFault("it has no such part of the file");
  }
  if (isPassing(statusCode)) throw new PassingFault(`it answered with status ${statusCode}`);
  throw refusal(url, isRedirection(statusCode) ? sentInCircles : `answered with status ${statusCode}`);
}

/** Writes a body to the end of a file, which has `from` bytes of it. */
async function writeBody(
  body: Dispatcher.ResponseData["body"],
  part: string,
  from: number,
  bytes: number,
  onBytes: (done: number) => void,
): Promise<void> {
  let done = from;
  const output = openSync(part, from > 0 ? "a" : "w");
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

function refusal(url: string, what: string): InputError {
  return new InputError(
    `Cannot download ${url}: the server ${what}; check the address, or try --mirror with another server`,
  );
}

function gaveUp(url: string, tries: number, cause: unknown): InputError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new InputError(
    `Cannot download ${url}: ${tries} tries in a row brought nothing new, the last problem is: ${reason}. ` +
      "Run it again to go on from what there is, or try --mirror with another server",
    { cause },
  );
}
