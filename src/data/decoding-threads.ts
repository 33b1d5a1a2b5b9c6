import { availableParallelism } from "node:os";
import { join } from "node:path";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { InputError } from "../errors";
import { listed } from "./class-folders";
import { compiledFile } from "./compiled-file";
import {
  type DecodingFailure,
  type FailedShare,
  type Making,
  resultOffsets,
  type ShareOfTask,
  type ThreadStart,
} from "./decoding-task";
import type { FileSet } from "./image-set";

/** Decoded images that all threads together may keep. */
const keptBytes = 2 ** 30;

/** Files of a set of which images are kept; decoded, they are several times as large. A larger set would not fit. */
const keptFileBytes = 2 ** 29;

/** A single image takes milliseconds: without one done in this time, a thread has died. */
const patienceMilliseconds = 120_000;

interface Thread {
  readonly worker: Worker;
  readonly failures: MessagePort;
}

/** Those of this process, a thread for each core; they do not keep it alive. Started when they are needed first. */
let threads: readonly Thread[] | undefined;
let tasks = 0;
/** Memory of results that nobody needs any more: batches are all of the same length. */
const spare: SharedArrayBuffer[] = [];
const spareAtMost = 2;

/** Images that are being decoded. */
export interface Decoding {
  /** Waits for the images: what was made of them, and those that cannot be read. */
  readonly wait: () => { readonly results: SharedArrayBuffer; readonly failures: readonly DecodingFailure[] };
  /**
   * Waits for the images.
   *
   * @returns what was made of them, laid out by `resultOffsets`
   * @throws InputError listing the images that cannot be read
   */
  readonly results: () => SharedArrayBuffer;
  /** Gives the memory of the results back, for the next batch. */
  readonly release: () => void;
}

/**
 * Begins to decode some images of a set, and returns at once: threads of their own do it, also while this one is in a
 * training step. Which thread takes an image depends on the image alone, so that one that it has kept is found again.
 */
export function startDecoding(set: FileSet, indices: Int32Array, making: Making): Decoding {
  threads ??= startThreads(availableParallelism());
  const count = indices.length;
  const task = tasks++;
  const length = resultOffsets(making, count).at(-1)!;
  const progress = new SharedArrayBuffer(8);
  const taken = spare.findIndex((one) => one.byteLength === length);
  const results = taken >= 0 ? spare.splice(taken, 1)[0]! : new SharedArrayBuffer(length);
  const { root, bytes, modified } = set.files;
  const keep = bytes.length > 0 && totalBytes(set) <= keptFileBytes;
  const shares = threads.map((): ShareOfTask["images"][number][] => []);
  indices.forEach((index, place) => {
    const path = join(root, set.ids[index]!);
    shares[index % shares.length]!.push({ place, path, bytes: bytes[index]!, modified: modified[index]! });
  });
  threads.forEach(({ worker }, at) => {
    worker.postMessage({ task, images: shares[at]!, count, making, keep, results, progress } satisfies ShareOfTask);
  });
  let failures: readonly DecodingFailure[] | undefined;
  const wait = () => {
    if (failures === undefined) {
      waitFor(new Int32Array(progress), threads!.length);
      failures = threads!.flatMap((thread) => failuresOf(task, thread.failures));
    }
    return { results, failures };
  };
  return {
    wait,
    results: () => {
      const done = wait();
      if (done.failures.length > 0) {
        const verify = `moco data verify ${JSON.stringify(`folder:${set.files.root}`)}`;
        throw unreadable(set, done.failures, {
          advice: `\nThese are of one batch; all of the set are listed by: ${verify}`,
        });
      }
      return done.results;
    },
    release: () => {
      wait();
      if (!spare.includes(results)) spare.push(results);
      if (spare.length > spareAtMost) spare.shift();
    },
  };
}

function startThreads(count: number): readonly Thread[] {
  return Array.from({ length: count }, () => {
    const { port1, port2 } = new MessageChannel();
    const workerData: ThreadStart = { failures: port2, keptBytes: keptBytes / count };
    const worker = new Worker(compiledFile("decoding-thread.js"), { workerData, transferList: [port2] });
    worker.unref();
    port1.unref();
    return { worker, failures: port1 };
  });
}

const totals = new WeakMap<FileSet, number>();

function totalBytes(set: FileSet): number {
  let total = totals.get(set);
  if (total === undefined) {
    total = set.files.bytes.reduce((sum, length) => sum + length, 0);
    totals.set(set, total);
  }
  return total;
}

function waitFor(progress: Int32Array, threadCount: number): void {
  let images = Atomics.load(progress, 1);
  for (;;) {
    const finished = Atomics.load(progress, 0);
    if (finished === threadCount) return;
    if (Atomics.wait(progress as Int32Array<SharedArrayBuffer>, 0, finished, patienceMilliseconds) !== "timed-out")
      continue;
    const now = Atomics.load(progress, 1);
    if (now === images)
      throw new Error(`Cannot decode images: none was done in ${patienceMilliseconds / 1000} seconds`);
    images = now;
  }
}

/** What a thread has sent of a task; what is of others is kept for them. */
const unclaimed: FailedShare[] = [];
function failuresOf(task: number, port: MessagePort): readonly DecodingFailure[] {
  for (let sent = receiveMessageOnPort(port); sent; sent = receiveMessageOnPort(port)) {
    unclaimed.push(sent.message as FailedShare);
  }
  const own = unclaimed.filter((share) => share.task === task);
  for (const share of own) unclaimed.splice(unclaimed.indexOf(share), 1);
  return own.flatMap(({ failures }) => failures);
}

/** What is said of images that cannot be read: all are counted, the first are listed. */
export function unreadable(
  { name, files: { root } }: Pick<FileSet, "name" | "files">,
  failures: readonly DecodingFailure[],
  { advice = "", all = false }: { readonly advice?: string; readonly all?: boolean } = {},
): InputError {
  const lines = failures.map(({ path, message }) => `${path.slice(root.length + 1)}: ${message}`).sort();
  return new InputError(
    `Cannot read images of ${name}: replace or remove those of ${root} that cannot be decoded, ` +
      `there are ${lines.length}:\n${all ? lines.join("\n") : listed(lines)}${advice}`,
  );
}
