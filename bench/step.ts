/**
 * MoCo's training step, optimiser included, against PyTorch's on the same shapes, threads and batch.
 *
 * The two take turns in one run, a few steps each, so that what else the machine does weighs on both; what is printed is
 * their ratio. PyTorch is given its best configuration: each is tried first, and the fastest goes on.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { randomStream } from "../src/engine/random";
import { tf } from "../src/engine/tf";
import { createMoco, disposeMoco, mocoStep } from "../src/methods/moco";
import { Sgd } from "../src/train/sgd";

const root = resolve(__dirname, "..", "..", "..");
const python = process.env["MOCO_BENCH_PYTHON"] ?? join(root, ".venv-bench", "bin", "python");
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

function startTorch() {
  const child = spawn(python, [join(root, "bench", "step.py")], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (request: object): Promise<Answer> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await lines.next();
    if (line.done === true) throw new Error("PyTorch's side ended; its message stands above");
    return JSON.parse(line.value) as Answer;
  };
  return { ask, stop: () => child.stdin.end() };
}

function startKit({ width, batch, size, queue_size: queueSize, groups }: Shape) {
  const encoder = { architecture: "resnet18", width, stem: "cifar", head: "linear", dimension: 128 } as const;
  const moco = createMoco(
    { encoder, queueSize, momentum: 0.99, temperature: 0.1, bnGroups: groups, shuffleBN: true, symmetric: false },
    { encoder: randomStream(0, "encoder"), queue: randomStream(0, "queue") },
  );
  const optimiser = Sgd.create(moco.queryEncoder.parameters);
  const query: tf.Tensor4D = tf.randomNormal([batch, size, size, 3]);
  const key = tf.tidy(() => tf.add<tf.Tensor4D>(query, tf.mul(tf.randomNormal([batch, size, size, 3]), 0.3)));
  let step = 0;
  return {
    steps(count: number): number[] {
      return Array.from({ length: count }, () => {
        const start = performance.now();
        const permutation = randomStream(0, "shuffle", step++).permutation(batch);
        const { gradients } = mocoStep(moco, query, key, () => permutation);
        optimiser.apply(moco.queryEncoder.parameters, gradients[0]!, {
          learningRate: 0.03,
          momentum: 0.9,
          weightDecay: 1e-4,
        });
        tf.dispose([...gradients]);
        return (performance.now() - start) / 1000;
      });
    },
    stop() {
      disposeMoco(moco);
      optimiser.dispose();
      tf.dispose([query, key]);
    },
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function measure(shape: Shape): Promise<void> {
  const name = `ResNet-18 width ${shape.width}, ${shape.size} px, batch ${shape.batch}, ${shape.groups} BN groups`;
  let best:
    { readonly label: string; readonly torch: ReturnType<typeof startTorch>; readonly time: number } | undefined;
  for (const configuration of configurations) {
    const label = `${configuration.layout}${configuration.compiled ? ", compiled" : ""}`;
    const torch = startTorch();
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
  const sorted = [...ratios].sort((a, b) => a - b);
  console.log(
    `${name}: kit ${rate(ours)} images/s, PyTorch (${best.label}) ${rate(theirs)} images/s; ` +
      `kit / PyTorch ${median(ratios).toFixed(2)} (${sorted[0]!.toFixed(2)} to ${sorted.at(-1)!.toFixed(2)} over ${rounds} rounds)`,
  );
}

async function main(): Promise<void> {
  if (!existsSync(python)) {
    console.error(
      "Cannot compare with PyTorch: it is not installed. Run:\n" +
        "  python3 -m venv .venv-bench && .venv-bench/bin/pip install -r bench/requirements.txt\n" +
        "or name a Python that has it by MOCO_BENCH_PYTHON",
    );
    process.exitCode = 2;
    return;
  }
  console.log(`${cpus()[0]?.model ?? "unknown processor"}, ${threads} threads`);
  for (const shape of shapes) await measure(shape);
}

void main();
