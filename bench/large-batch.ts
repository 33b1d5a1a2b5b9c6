/**
 * Peak memory of a SimCLR step by the gradient cache: a batch of 4096 in chunks of 256 against a batch of 256.
 *
 * Each size is a process of its own, since the peak of a process never falls.
 */
import { spawnSync } from "node:child_process";
import { mocoV2 } from "../src/data/augmentation-policy";
import { drawViews } from "../src/data/batches";
import { joinParts } from "../src/data/image-data";
import type { PixelSet } from "../src/data/image-set";
import { randomStream } from "../src/engine/random";
import { tf } from "../src/engine/tf";
import { ChunkedEncoder } from "../src/methods/gradient-cache";
import { simclrStepInChunks } from "../src/methods/simclr";
import { createEncoder } from "../src/nn/encoder";

const [chunkSize, size, width] = [256, 32, 16];
const encoderConfig = { architecture: "resnet18", width, stem: "cifar", head: "mlp", dimension: 128 } as const;

function randomSet(count: number): PixelSet {
  const random = randomStream(0, "bench");
  return {
    name: "random",
    size,
    pixels: Uint8Array.from({ length: count * size * size * 3 }, () => random.integer(256)),
    labels: new Int32Array(count),
    classes: ["one"],
    groups: Int32Array.from({ length: count }, (_, index) => index),
    twins: undefined,
    ids: Array.from({ length: count }, String),
  };
}

/** Peak memory in MB of two steps, and the seconds of the second. */
function measure(batch: number): { megabytes: number; seconds: number } {
  const set = randomSet(batch);
  const data = joinParts("random", set, set, set);
  const indices = Int32Array.from({ length: batch }, (_, index) => index);
  const encoder = createEncoder(encoderConfig, randomStream(0, "encoder"));
  // A chunk is one group of batch normalization.
  const simclr = { encoder: new ChunkedEncoder(encoder, 1), temperature: 0.1 };
  let seconds = 0;
  for (let step = 0; step < 2; step++) {
    const start = performance.now();
    const { one: view } = drawViews(data, indices, { policy: mocoV2, seed: 0, step });
    tf.dispose([...simclrStepInChunks(simclr, { view, size: batch }, { size: chunkSize }).gradients]);
    seconds = (performance.now() - start) / 1000;
  }
  return { megabytes: process.resourceUsage().maxRSS / 1024, seconds };
}

function main(): void {
  const asked = process.argv[2];
  if (asked !== undefined) {
    console.log(JSON.stringify(measure(Number(asked))));
    return;
  }
  const [small, large] = [256, 4096].map((batch) => {
    const { stdout, status } = spawnSync(process.execPath, [__filename, String(batch)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (status !== 0) throw new Error(`The measurement of batch ${batch} failed`);
    const result = JSON.parse(stdout) as ReturnType<typeof measure>;
    console.log(`batch ${batch}: ${result.megabytes.toFixed(0)} MB at the peak, ${result.seconds.toFixed(1)} s a step`);
    return result;
  }) as [ReturnType<typeof measure>, ReturnType<typeof measure>];
  const embeddings = (2 * 4096 * encoderConfig.dimension * 4) / 2 ** 20;
  console.log(
    `ratio ${(large.megabytes / small.megabytes).toFixed(3)}; ` +
      `without one copy of the embeddings (${embeddings.toFixed(1)} MB) ${((large.megabytes - embeddings) / small.megabytes).toFixed(3)}`,
  );
}

main();
