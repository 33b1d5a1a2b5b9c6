/**
 * MoCo's training step, optimizer included, against PyTorch's on the same shapes, threads and batch.
 *
 * The two take turns in one run, a few steps each, so that what else the machine does weighs on both; what is printed is
 * their ratio. PyTorch is given its best configuration: each is tried first, and the fastest goes on.
 */
import { availableParallelism, cpus } from "node:os";
import { tf } from "../src/engine/tf";
import { startMocoProgram } from "./moco-program";
import { median, medianAndRange, startPeer, torchCommand, type Peer } from "./peer";

const threads = availableParallelism();
const [rounds, stepsPerRound] = [8, 5];

interface Shape {
  readonly width: number;
  readonly batch: number;
  readonly size: number;
  readonly queue_size: number;
  readonly groups: number;
}

const shapes: readonly Shape[] = [
  { width: 16, batch: 64, size: 32, queue_size: 1024, groups: 2 },
  { width: 16, batch: 128, size: 32, queue_size: 4096, groups: 2 },
  { width: 64, batch: 64, size: 32, queue_size: 4096, groups: 1 },
];

const configurations = [
  { layout: "contiguous", compiled: false },
  { layout: "channels_last", compiled: false },
  { layout: "channels_last", compiled: true },
] as const;

interface Answer {
  readonly ready?: boolean;
  readonly reason?: string;
  readonly version?: string;
  readonly seconds?: readonly number[];
}

function startKit({ width, batch, size, queue_size: queueSize, groups }: Shape) {
  const encoder = { architecture: "resnet18", width, stem: "cifar", head: "linear", dimension: 128 } as const;
  const moco = startMocoProgram(
    { encoder, queueSize, momentum: 0.99, temperature: 0.1, bnGroups: groups },
    batch,
    size,
  );
  const query: tf.Tensor4D = tf.randomNormal([batch, size, size, 3]);
  const key = tf.tidy(() => tf.add<tf.Tensor4D>(query, tf.mul(tf.randomNormal([batch, size, size, 3]), 0.3)));
  return {
    steps(count: number): number[] {
      return Array.from({ length: count }, () => {
        const start = performance.now();
        moco.step(query, key, 0.03);
        return (performance.now() - start) / 1000;
      });
    },
    stop() {
      moco.stop();
      tf.dispose([query, key]);
    },
  };
}

async function measure(shape: Shape, command: readonly [string, string]): Promise<void> {
  const name = `ResNet-18 width ${shape.width}, ${shape.size} px, batch ${shape.batch}, ${shape.groups} BN groups`;
  let best: { readonly label: string; readonly torch: Peer<Answer>; readonly time: number } | undefined;
  for (const configuration of configurations) {
    const label = `${configuration.layout}${configuration.compiled ? ", compiled" : ""}`;
    const torch = startPeer<Answer>(command[0], [command[1]]);
    const { ready, reason } = await torch.ask({ configure: { ...shape, ...configuration, threads } });
    if (ready !== true) {
      console.log(`  PyTorch ${label}: left out, ${reason ?? "no reason given"}`);
      torch.stop();
      continue;
    }
    const time = median((await torch.ask({ steps: stepsPerRound })).seconds!);
    if (best === undefined || time < best.time) {
      best?.torch.stop();
      best = { label, torch, time };
    } else {
      torch.stop();
    }
  }
  if (best === undefined) throw new Error("PyTorch ran in none of its configurations");

  const kit = startKit(shape);
  kit.steps(5);
  const ours: number[] = [];
  const theirs: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const a = kit.steps(stepsPerRound);
    const b = (await best.torch.ask({ steps: stepsPerRound })).seconds!;
    ours.push(...a);
    theirs.push(...b);
    ratios.push(median(b) / median(a));
  }
  kit.stop();
  best.torch.stop();
  const rate = (seconds: readonly number[]) => (shape.batch / median(seconds)).toFixed(0);
  console.log(
    `${name}: kit ${rate(ours)} images/s, PyTorch (${best.label}) ${rate(theirs)} images/s; ` +
      `kit / PyTorch ${medianAndRange(ratios)}`,
  );
}

async function main(): Promise<void> {
  const command = torchCommand("step.py");
  if (command === undefined) return;
  console.log(`${cpus()[0]?.model ?? "unknown processor"}, ${threads} threads`);
  for (const shape of shapes) await measure(shape, command);
}

void main();
