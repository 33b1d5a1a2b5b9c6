/**
 * A decoding thread: decodes the images that the main thread names, and makes of them what it asks for. The next image is decoded,
 * by libvips' own threads, while views of this one are made.
 */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import sharp from "sharp";
import { randomStream } from "../engine/random";
import { drawView } from "./augmentation-parameters";
import {
  type DecodingFailure,
  type FailedShare,
  type ImageOfTask,
  type ImageSummary,
  resultOffsets,
  type ShareOfTask,
  type ThreadStart,
  writeSummary,
} from "./decoding-task";
import { type DecodedImage, unnormalized, ViewMaker } from "./make-view";
import { decodeImage } from "./open-image";

type Decoded = { readonly image: DecodedImage } | { readonly failure: string };

// There is a decoding thread for each core already, and no image is decoded by the same operations twice.
sharp.concurrency(1);
sharp.cache(false);

const { failures: failurePort, keptBytes } = workerData as ThreadStart;
const maker = new ViewMaker();
const kept = new Map<string, DecodedImage>();
let room = keptBytes;

// Shares are taken one after the other.
let last = Promise.resolve();
parentPort!.on("message", (share: ShareOfTask) => {
  last = last.then(() => take(share));
});

async function take(share: ShareOfTask): Promise<void> {
  const { images, progress } = share;
  const counters = new Int32Array(progress);
  const failures: DecodingFailure[] = [];
  let next = images.length > 0 ? decoded(images[0]!, share.keep) : undefined;
  for (const [at, { path, place }] of images.entries()) {
    const result = await next!;
    next = at + 1 < images.length ? decoded(images[at + 1]!, share.keep) : undefined;
    if ("failure" in result) failures.push({ path, message: result.failure });
    else make(result.image, place, share);
    Atomics.add(counters, 1, 1);
    Atomics.notify(counters, 1);
  }
  // Sent before the count says that it is there.
  if (failures.length > 0) failurePort.postMessage({ task: share.task, failures } satisfies FailedShare);
  Atomics.add(counters, 0, 1);
  Atomics.notify(counters, 0);
}

async function decoded({ path, bytes, modified }: ImageOfTask, keep: boolean): Promise<Decoded> {
  const key = `${path}\n${bytes}\n${modified}`;
  const before = kept.get(key);
  if (before) return { image: before };
  try {
    const image = await decodeImage(readUnchanged(path, bytes, modified));
    if (keep && image.pixels.length <= room) {
      room -= image.pixels.length;
      kept.set(key, image);
    }
    return { image };
  } catch (error) {
    return { failure: reasonOf(error) };
  }
}

/** One line: libvips keeps what it says of all threads in one place, so that further lines may be of other images. */
function reasonOf(error: unknown): string {
  const [first = ""] = (error instanceof Error ? error.message : String(error)).trim().split("\n");
  return first === "" || first === "Unknown error" ? "it cannot be decoded" : first;
}

function readUnchanged(path: string, bytes: number, modified: number): Buffer {
  const file = openSync(path, "r");
  try {
    const found = fstatSync(file);
    if (found.size !== bytes || found.mtimeMs !== modified) throw new Error("changed since the data set was loaded");
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function make(image: DecodedImage, place: number, { making, count, results }: ShareOfTask): void {
  const offsets = resultOffsets(making, count);
  const target = (which: number, size: number) => {
    const length = 3 * size * size;
    return new Float32Array(results, offsets[which]! + 4 * place * length, length);
  };
  switch (making.kind) {
    case "views": {
      const random = randomStream(making.seed, "augment", making.step, place);
      maker.open(image);
      making.views.forEach(({ policy, size }, which) => {
        maker.view(drawView(policy, image, random), size, making.normalization, target(which, size));
      });
      break;
    }
    case "evaluation":
      maker.open(image);
      maker.evaluationView(making.size, unnormalized, target(0, making.size));
      break;
    case "summary":
      writeSummary(summarize(image), results, place);
  }
}

function summarize({ height, width, pixels }: DecodedImage): ImageSummary {
  const [sums, squares] = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  for (let at = 0; at < pixels.length; at++) {
    const value = pixels[at]!;
    const channel = at % 3;
    sums[channel]! += value;
    squares[channel]! += value * value;
  }
  const digest = createHash("sha256").update(`${height} ${width}\n`).update(pixels).digest("hex");
  return { digest, pixels: height * width, sums, squares };
}
