/**
 * The share of augmentation in a training step: two normalized views of 64 images of 32 px, drawn and made, against
 * MoCo's step on them (ResNet-18 of width 16) with the optimizer. Both are timed in the same rounds, so that what else
 * the machine does weighs on both.
 */
import { cifar10Demo, mocoV1, mocoV2, type AugmentationPolicy } from "../src/data/augmentation-policy";
import { drawViews } from "../src/data/batches";
import { joinParts } from "../src/data/image-data";
import type { PixelSet } from "../src/data/image-set";
import { randomStream } from "../src/engine/random";
import { tf } from "../src/engine/tf";
import { startMocoProgram } from "./moco-program";

const [batch, size, rounds] = [64, 32, 30];

function randomSet(): PixelSet {
  const random = randomStream(0, "bench");
  return {
    name: "random",
    size,
    pixels: Uint8Array.from({ length: batch * size * size * 3 }, () => random.integer(256)),
    labels: new Int32Array(batch),
    classes: ["none"],
    groups: new Int32Array(batch),
    twins: undefined,
    ids: [],
  };
}

function milliseconds<T>(work: () => T): [T, number] {
  const start = performance.now();
  const result = work();
  return [result, performance.now() - start];
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function measure(name: string, policy: AugmentationPolicy): void {
  const set = randomSet();
  const data = joinParts("random", set, set, set);
  const indices = Int32Array.from({ length: batch }, (_, index) => index);
  const moco = startMocoProgram(
    {
      encoder: { architecture: "resnet18", width: 16, stem: "cifar", head: "linear", dimension: 128 },
      queueSize: 1024,
      momentum: 0.99,
      temperature: 0.1,
      bnGroups: 2,
    },
    batch,
    size,
  );
  const [augmentation, rest]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const [views, viewTime] = milliseconds(() => drawViews(data, indices, { policy, seed: 0, step: round }).all());
    const [, stepTime] = milliseconds(() => moco.step(views[0]!, views[1]!, 0.01));
    tf.dispose(views);
    augmentation.push(viewTime);
    rest.push(stepTime);
  }
  moco.stop();
  const [best, bestRest] = [Math.min(...augmentation), Math.min(...rest)];
  const [typical, typicalRest] = [median(augmentation), median(rest)];
  const share = (part: number, others: number) => `${((100 * part) / (part + others)).toFixed(1)} %`;
  console.log(
    `${name}: best ${best.toFixed(1)} of ${(best + bestRest).toFixed(1)} ms (${share(best, bestRest)}), ` +
      `median ${typical.toFixed(1)} of ${(typical + typicalRest).toFixed(1)} ms (${share(typical, typicalRest)})`,
  );
}

measure("MoCo v1", mocoV1);
measure("MoCo v2", mocoV2);
measure("CIFAR-10 demo", cifar10Demo);
