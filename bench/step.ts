/**
 * MoCo's training step, optimizer included, against PyTorch's on the same shapes, threads and batch.
 *
 * Each side is a process of its own, so that its peak of memory is its own. The two take turns in one run, a few steps each,
 * so that what else the machine does weighs on both; what is printed is their ratio. PyTorch is given its best configuration:
 * each is tried first, and the fastest goes on. At the end the kit's step with the paper's queue against a short one.
 */
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { median, medianAndRange, startPeer, torchCommand, type Peer } from "./peer";

const threads = availableParallelism();

export interface StepShape {
  readonly architecture: "resnet18" | "resnet50";
  readonly stem: "cifar" | "imagenet";
  readonly width: number;
  readonly batch: number;
  readonly size: number;
  readonly queue_size: number;
  readonly groups: number;
  /** Steps before those that are timed. */
  readonly warm_up: number;
}

/** How often the two sides take turns, and how many steps each takes then. */
interface Turns {
  readonly rounds: number;
  readonly steps: number;
}

const often: Turns = { rounds: 8, steps: 5 };
const seldom: Turns = { rounds: 4, steps: 2 };

const small = { architecture: "resnet18", stem: "cifar", size: 32, warm_up: 5 } as const;
const large: StepShape = {
  ...{ architecture: "resnet50", stem: "imagenet", width: 64, size: 224, warm_up: 2 },
  ...{ batch: 16, queue_size: 65_536, groups: 1 },
};

const shapes: readonly (readonly [StepShape, Turns])[] = [
  [{ ...small, width: 16, batch: 64, queue_size: 1024, groups: 2 }, often],
  [{ ...small, width: 16, batch: 128, queue_size: 4096, groups: 2 }, often],
  [{ ...small, width: 64, batch: 64, queue_size: 4096, groups: 1 }, often],
  [large, seldom],
];

const configurations = [
  { layout: "contiguous", compiled: false },
  { layout: "channels_last", compiled: false },
  { layout: "channels_last", compiled: true },
] as const;

export type StepRequest = { readonly configure: StepShape } | { readonly steps: number };

export interface StepAnswer {
  readonly ready?: boolean;
  readonly reason?: string;
  readonly seconds?: readonly number[];
  /** Peak of the process's memory in bytes. */
  readonly peak?: number;
}

type Side = Peer<StepAnswer>;

async function startKit(shape: StepShape): Promise<Side> {
  const kit = startPeer<StepAnswer>(process.execPath, [join(__dirname, "step-kit.js")]);
  await kit.ask({ configure: shape });
  return kit;
}

/** PyTorch in the configuration that is fastest. */
async function startTorch(shape: StepShape, command: readonly [string, string], { steps }: Turns) {
  let best: { readonly label: string; readonly torch: Side; readonly time: number } | undefined;
  for (const configuration of configurations) {
    const label = `${configuration.layout}${configuration.compiled ? ", compiled" : ""}`;
    const torch = startPeer<StepAnswer>(command[0], [command[1]]);
    const { ready, reason } = await torch.ask({ configure: { ...shape, ...configuration, threads } });
    if (ready !== true) {
      console.log(`  PyTorch ${label}: left out, ${reason ?? "no reason given"}`);
      torch.stop();
      continue;
    }
    const time = median((await torch.ask({ steps: 3 * steps })).seconds!);
    if (best === undefined || time < best.time) {
      best?.torch.stop();
      best = { label, torch, time };
    } else {
      torch.stop();
    }
  }
  if (best === undefined) throw new Error("PyTorch ran in none of its configurations");
  return best;
}

/** Lets two sides take turns. */
async function takeTurns(first: Side, second: Side, { rounds, steps }: Turns) {
  const times: [number[], number[]] = [[], []];
  const ratios: number[] = [];
  let peaks = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const [one, other] = [await first.ask({ steps }), await second.ask({ steps })];
    times[0].push(...one.seconds!);
    times[1].push(...other.seconds!);
    ratios.push(median(other.seconds!) / median(one.seconds!));
    peaks = [one.peak!, other.peak!];
  }
  return { medians: times.map(median), ratios, peaks };
}

async function compare(shape: StepShape, turns: Turns, command: readonly [string, string]): Promise<void> {
  const { architecture, width, size, batch, groups } = shape;
  const { torch, label } = await startTorch(shape, command, turns);
  const kit = await startKit(shape);
  const { medians, ratios, peaks } = await takeTurns(kit, torch, turns);
  kit.stop();
  torch.stop();
  const [ours, theirs] = medians.map((seconds) => (batch / seconds).toFixed(1));
  const [ourPeak, theirPeak] = peaks.map((bytes) => (bytes / 1e6).toFixed(0));
  console.log(
    `${architecture} width ${width}, ${size} px, batch ${batch}, ${groups} BN groups: kit ${ours} images/s, ${ourPeak} MB; ` +
      `PyTorch (${label}) ${theirs} images/s, ${theirPeak} MB; time of PyTorch / kit ${medianAndRange(ratios)}`,
  );
}

/** What the paper's queue costs: a step with K = 65,536 against one with K = 256. */
async function compareQueues(): Promise<void> {
  const [long, short] = [await startKit(large), await startKit({ ...large, queue_size: 256 })];
  const { ratios } = await takeTurns(short, long, seldom);
  console.log(`kit, resnet50, 224 px, batch 16: time at K = 65,536 / K = 256 ${medianAndRange(ratios)}`);
  long.stop();
  short.stop();
}

async function main(): Promise<void> {
  const command = torchCommand("step.py");
  if (command === undefined) return;
  console.log(`${cpus()[0]?.model ?? "unknown processor"}, ${threads} threads`);
  for (const [shape, turns] of shapes) await compare(shape, turns, command);
  await compareQueues();
}

void main();
