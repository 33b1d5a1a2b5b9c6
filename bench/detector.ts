/**
 * A training step of Mask R-CNN and of Faster R-CNN with FPN, optimizer included, against torchvision's on the same shapes,
 * threads, batch and objects. Needs Linux: `taskset` gives both sides their processors.
 *
 * Each side is a process of its own, so that its peak of memory is its own. The two take turns in one run, so that what else
 * the machine does weighs on both; what is printed is their ratio. PyTorch is given its best configuration: each is tried
 * first, and the fastest goes on.
 */
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { randomStream } from "../src/engine/random";
import { median, medianAndRange, startPeer, torchCommand, type Peer } from "./peer";

const rounds = 8;

/** What both sides build; names are those of Python. */
export interface DetectorShape {
  readonly architecture: "resnet18" | "resnet50";
  readonly width: number;
  /** Height and width of the images in pixels, a multiple of 32. */
  readonly size: number;
  readonly batch: number;
  readonly classes: number;
  /** Of P2 to P6. */
  readonly anchor_sizes: readonly number[];
  /** Proposals of each level before non-maximum suppression, and of an image after it. */
  readonly before_nms: number;
  readonly after_nms: number;
  /** Regions of an image that the heads learn from. */
  readonly rois: number;
  readonly masks: boolean;
  /** Of each image; masks are the ellipses in the boxes. */
  readonly truths: readonly { readonly boxes: readonly (readonly number[])[]; readonly classes: readonly number[] }[];
}

export interface DetectorRequest {
  readonly configure?: DetectorShape;
  readonly steps?: number;
}

export interface DetectorAnswer {
  readonly ready?: boolean;
  readonly reason?: string;
  /** Of each step. */
  readonly seconds?: readonly number[];
  /** Peak of the process so far. */
  readonly megabytes?: number;
  /** Regions of the last batch that the heads learned from, and how many of them lie on objects. */
  readonly regions?: number;
  readonly objects?: number;
}

interface Case {
  readonly shape: Omit<DetectorShape, "masks" | "truths">;
  readonly stepsPerRound: number;
  /** Mask R-CNN, or Faster R-CNN too. */
  readonly masks: readonly boolean[];
  readonly threads: readonly number[];
}

const cases: readonly Case[] = [
  {
    // As preset quick-fpn.
    shape: {
      architecture: "resnet18",
      width: 16,
      size: 96,
      batch: 4,
      classes: 9,
      anchor_sizes: [12, 24, 48, 96, 192],
      before_nms: 1000,
      after_nms: 200,
      rois: 64,
    },
    stepsPerRound: 4,
    masks: [true, false],
    threads: [1, 2],
  },
  {
    // As the paper's recipes of COCO, on smaller images.
    shape: {
      architecture: "resnet50",
      width: 64,
      size: 256,
      batch: 2,
      classes: 80,
      anchor_sizes: [32, 64, 128, 256, 512],
      before_nms: 2000,
      after_nms: 1000,
      rois: 512,
    },
    stepsPerRound: 1,
    masks: [true],
    threads: [2],
  },
];

const configurations = [
  { layout: "contiguous", compiled: false },
  { layout: "channels_last", compiled: false },
  { layout: "channels_last", compiled: true },
] as const;

/**
 * Objects six times as long as wide: no anchor overlaps one by half, so that on both sides the regions on objects are the
 * objects themselves, and the mask heads see as many.
 */
function randomTruths({
  size,
  batch,
  classes,
  rois,
}: Omit<DetectorShape, "masks" | "truths">): DetectorShape["truths"] {
  const random = randomStream(0, "objects");
  const count = rois / 16;
  return Array.from({ length: batch }, () => ({
    boxes: Array.from({ length: count }, () => {
      const long = random.uniform(0.3, 0.9) * size;
      const [width, height] = random.integer(2) === 0 ? [long, long / 6] : [long / 6, long];
      const [x, y] = [random.uniform(0, size - width), random.uniform(0, size - height)];
      return [x, y, x + width, y + height];
    }),
    classes: Array.from({ length: count }, () => random.integer(classes)),
  }));
}

function startSide(threads: number, command: readonly string[]): Peer<DetectorAnswer> {
  return startPeer("taskset", ["-c", `0-${threads - 1}`, ...command]);
}

async function fastestTorch(
  shape: DetectorShape,
  threads: number,
  stepsPerRound: number,
  command: readonly string[],
): Promise<{ readonly label: string; readonly torch: Peer<DetectorAnswer> }> {
  let best: { readonly label: string; readonly torch: Peer<DetectorAnswer>; readonly time: number } | undefined;
  for (const configuration of configurations) {
    const label = `${configuration.layout}${configuration.compiled ? ", backbone compiled" : ""}`;
    const torch = startSide(threads, command);
    const { ready, reason } = await torch.ask({ configure: { ...shape, ...configuration, threads } });
    if (ready !== true) {
      console.log(`  PyTorch ${label}: left out, ${reason ?? "no reason given"}`);
      torch.stop();
      continue;
    }
    const time = median((await torch.ask({ steps: 2 * stepsPerRound + 1 })).seconds!);
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

async function measure(
  shape: DetectorShape,
  threads: number,
  stepsPerRound: number,
  command: readonly string[],
): Promise<void> {
  const { label, torch } = await fastestTorch(shape, threads, stepsPerRound, command);
  const kit = startSide(threads, [process.execPath, join(__dirname, "detector-kit.js")]);
  await kit.ask({ configure: shape });
  const times: { readonly kit: number[]; readonly torch: number[] } = { kit: [], torch: [] };
  const ratios: number[] = [];
  let last: { readonly kit: DetectorAnswer; readonly torch: DetectorAnswer } | undefined;
  for (let round = 0; round < rounds; round++) {
    last = { kit: await kit.ask({ steps: stepsPerRound }), torch: await torch.ask({ steps: stepsPerRound }) };
    times.kit.push(...last.kit.seconds!);
    times.torch.push(...last.torch.seconds!);
    ratios.push(median(last.kit.seconds!) / median(last.torch.seconds!));
  }
  kit.stop();
  torch.stop();
  const described = (side: "kit" | "torch") => {
    const { megabytes, regions, objects } = last![side];
    return `${median(times[side]).toFixed(2)} s a step, ${megabytes!.toFixed(0)} MB at the peak, ${regions} regions (${objects} on objects)`;
  };
  console.log(
    `${shape.masks ? "Mask" : "Faster"} R-CNN, ${shape.architecture} of width ${shape.width} with FPN, ${shape.size} px, ` +
      `batch ${shape.batch}, ${threads} thread${threads === 1 ? "" : "s"}:\n` +
      `  kit ${described("kit")}\n  PyTorch (${label}) ${described("torch")}\n` +
      `  time of the kit / PyTorch ${medianAndRange(ratios)}`,
  );
}

async function main(): Promise<void> {
  const command = torchCommand("detector.py");
  if (command === undefined) return;
  const most = availableParallelism();
  console.log(`${cpus()[0]?.model ?? "unknown processor"}, ${most} processors`);
  for (const { shape, stepsPerRound, masks, threads } of cases) {
    const truths = randomTruths(shape);
    for (const withMasks of masks) {
      for (const count of threads.filter((wanted) => wanted <= most)) {
        await measure({ ...shape, masks: withMasks, truths }, count, stepsPerRound, command);
      }
    }
  }
}

void main();
