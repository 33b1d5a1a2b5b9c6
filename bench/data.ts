/**
 * The input path, files to normalized pairs of views, against the official one (PIL, torchvision's transforms, DataLoader with a
 * worker for each core), on the same photographs in turns; the share of a step of ResNet-50 that is spent waiting for them; and
 * what the cost of an image gives on other machines.
 *
 *   npm run bench -- data FOLDER [ROUNDS]      FOLDER holds photographs, some hundred of ImageNet's for figures like those of README
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import sharp from "sharp";
import { loadImageFolder } from "../src/data/image-folder";
import { takeImages } from "../src/data/image-data";
import type { FileSet, ImageData } from "../src/data/image-set";
import { tf } from "../src/engine/tf";
import { mocoV1Recipe, mocoV2Recipe } from "../src/recipes/paper-recipes";
import { Batches } from "../src/train/draw-batch";
import type { Recipe } from "../src/train/recipe";
import { startTraining, trainingDataOf } from "../src/train/state";
import { TrainingStep } from "../src/train/take-step";
import { median, medianAndRange, startPeer, torchCommand } from "./peer";

const cores = availableParallelism();
/** What a GPU of the paper's kind would take (images/s of a step of MoCo on a ResNet-50), for the projection. */
const gpuImagesPerSecond = 1200;
const projectedCores = 16;

interface Setting {
  readonly name: string;
  readonly recipe: Recipe;
  readonly folder: string;
  readonly size: number;
  readonly version: 1 | 2;
  readonly batch: number;
  /** How often a pass goes through the folder. */
  readonly repeats: number;
}

/** Goes through `steps` batches as a training does, and does nothing with them. */
function pass(
  batches: Batches,
  first: number,
  steps: number,
): { readonly seconds: number; readonly cpuSeconds: number } {
  const cpu = process.cpuUsage();
  const begin = performance.now();
  for (let step = first; step < first + steps; step++) {
    const batch = batches.at(step);
    tf.dispose(batch.views());
    batch.release?.();
  }
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - begin) / 1000, cpuSeconds: (user + system) / 1e6 };
}

/** So often 200 photographs are more than decoding threads keep decoded: each is decoded each time, as of ImageNet. */
const notKept = 40;

/** The set several times over. */
function repeated(set: FileSet, times: number): FileSet {
  const count = set.ids.length;
  return takeImages(
    set,
    set.name,
    Array.from({ length: count * times }, (_, at) => at % count),
  );
}

async function compare(
  { name, recipe, folder, size, version, batch, repeats }: Setting,
  rounds: number,
): Promise<void> {
  const command = torchCommand("data.py");
  if (command === undefined) return;
  const peer = startPeer<{ readonly seconds: number; readonly images: number }>(command[0], [command[1]]);
  try {
    await peer.ask({ configure: { folder, size, version, workers: cores, batch, repeats } });
    const { train, ...rest } = await loadImageFolder(folder, { size });
    const steps = Math.floor((repeats * train.labels.length) / batch);
    const data = { ...rest, train: repeated(train, Math.max(repeats, size === 224 ? notKept : 0)) };
    const batches = new Batches(
      data,
      { ...recipe, batchSize: batch },
      { seed: 0, views: [{}, {}], totalSteps: Infinity },
    );
    pass(batches, 0, steps);
    const [kit, official, cpu]: [number[], number[], number[]] = [[], [], []];
    for (let round = 1; round <= rounds; round++) {
      const { seconds, cpuSeconds } = pass(batches, round * steps, steps);
      kit.push((steps * batch) / seconds);
      cpu.push((1000 * cpuSeconds) / (steps * batch));
      const theirs = await peer.ask({ pass: true });
      official.push(theirs.images / theirs.seconds);
    }
    batches.dispose();
    const cost = median(cpu);
    console.log(
      `${name}: kit ${median(kit).toFixed(0)} images/s, official ${median(official).toFixed(0)}, ` +
        `kit / official ${medianAndRange(kit.map((rate, round) => rate / official[round]!))}; ` +
        `${cost.toFixed(2)} ms of a core an image, so ${projectedCores} cores would make ` +
        `${((1000 * projectedCores) / cost).toFixed(0)} images/s` +
        (size === 224
          ? `, ${((1000 * projectedCores) / cost / gpuImagesPerSecond).toFixed(1)} times what a GPU of ${gpuImagesPerSecond} takes`
          : ""),
    );
  } finally {
    peer.stop();
  }
}

/** How long a step of ResNet-50 waits for its batch. */
function waiting(data: ImageData<FileSet>, batchSize: number, steps: number): void {
  const recipe = { ...mocoV1Recipe, batchSize, bnGroups: 1 };
  const state = startTraining(recipe, { seed: 0, data: trainingDataOf(data) });
  const trainingStep = new TrainingStep(state, recipe.optimizer);
  const batches = new Batches(data, recipe, { seed: 0, views: state.method.views, totalSteps: steps + 1 });
  let [waited, all] = [0, 0];
  for (let step = 0; step <= steps; step++) {
    const begin = performance.now();
    const batch = batches.at(step);
    const views = batch.views();
    const ready = performance.now();
    trainingStep.take({ ...batch, views: () => views }, 0.03, `step ${step + 1}`);
    batch.release?.();
    // The first step is recorded, and waits for the first batch.
    if (step === 0) continue;
    waited += ready - begin;
    all += performance.now() - begin;
  }
  batches.dispose();
  trainingStep.dispose();
  console.log(
    `A step of ResNet-50, 224 px, batch ${batchSize}: ${(all / steps / 1000).toFixed(2)} s, ` +
      `of which ${((100 * waited) / all).toFixed(1)} % waiting for the batch and taking it over`,
  );
}

/** The photographs at 32 px, as JPEG files. */
async function shrunk(folder: string): Promise<string> {
  const small = mkdtempSync(join(tmpdir(), "bench-data-"));
  for (const name of readdirSync(folder)) {
    await sharp(join(folder, name))
      .resize(32, 32, { fit: "cover" })
      .jpeg()
      .toFile(join(small, `${name}.jpg`));
  }
  return small;
}

async function main([folderText, roundsText = "5"]: readonly string[]): Promise<void> {
  if (folderText === undefined) throw new Error("Say which folder holds the photographs: npm run bench -- data FOLDER");
  const folder = resolve(folderText);
  const rounds = Number(roundsText);
  const small = await shrunk(folder);
  try {
    const v1 = { recipe: mocoV1Recipe, version: 1 } as const;
    const v2 = { recipe: mocoV2Recipe(200), version: 2 } as const;
    const large = { folder, size: 224, batch: 50, repeats: 2 };
    await compare({ name: "224 px, v1", ...v1, ...large }, rounds);
    await compare({ name: "224 px, v2", ...v2, ...large }, rounds);
    const tiny = { folder: small, size: 32, batch: 50, repeats: 10 };
    await compare({ name: "32 px, v1", ...v1, ...tiny }, rounds);
    await compare({ name: "32 px, v2", ...v2, ...tiny }, rounds);
    waiting(await loadImageFolder(folder, { size: 224 }), 16, 4);
  } finally {
    rmSync(small, { recursive: true });
  }
}

void main(process.argv.slice(2));
