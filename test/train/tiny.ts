import { createHash } from "node:crypto";
import type { ImageData, PixelSet } from "../../src/data/image-set";
import { randomStream } from "../../src/engine/random";
import { parseRecipe, type Recipe } from "../../src/train/recipe";

/** A recipe that trains in well under a second: ResNet-18 of width 2 on images of 8 pixels, 3 steps an epoch. */
export function tinyRecipe(changes: Partial<Recipe> = {}): Recipe {
  return parseRecipe({
    name: "tiny",
    source: "made for the tests",
    dataset: "emoji",
    imageSize: 8,
    encoder: { architecture: "resnet18", width: 2, stem: "cifar", head: "mlp", dimension: 8 },
    method: tinyMoco(),
    batchSize: 8,
    bnGroups: 2,
    augmentation: "moco-v2",
    learningRate: 0.05,
    optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-4 },
    schedule: { kind: "cosine" },
    epochs: 2,
    ...changes,
  });
}

/** MoCo with a queue of three batches. */
export function tinyMoco(changes: Partial<MocoRecipe> = {}): MocoRecipe {
  return {
    kind: "moco",
    queueSize: 24,
    momentum: 0.9,
    temperature: 0.2,
    shuffleBN: true,
    symmetric: false,
    ...changes,
  };
}

/** A tiny recipe of each method. */
export function tinyMethods(): Recipe[] {
  const methods: Recipe["method"][] = [
    tinyMoco(),
    tinyMoco({ symmetric: true }),
    tinyMoco({ chunkSize: 4 }),
    { kind: "end-to-end", temperature: 0.2, shuffleBN: true },
    { kind: "end-to-end", temperature: 0.2, shuffleBN: true, chunkSize: 4 },
    { kind: "memory-bank", negatives: 10, momentum: 0.5, temperature: 0.2 },
    { kind: "simclr", temperature: 0.2 },
    { kind: "supervised" },
    { kind: "random" },
  ];
  return methods.map((method) =>
    tinyRecipe({
      method,
      name: JSON.stringify(method),
      ...(method.kind === "supervised" && { encoder: { ...tinyRecipe().encoder, head: "linear", dimension: 2 } }),
    }),
  );
}

type MocoRecipe = Extract<Recipe["method"], { kind: "moco" }>;

/** Random images: 26 in `train`, so that each epoch of 8 drops two. */
export function tinyData(): ImageData<PixelSet> {
  const sets = { train: randomSet("train", 26), validation: randomSet("validation", 8), test: randomSet("test", 8) };
  const checksum = createHash("sha256").update(sets.train.pixels).digest("hex");
  return { name: "tiny", ...sets, mean: [0.5, 0.5, 0.5], std: [0.3, 0.3, 0.3], checksum };
}

function randomSet(part: string, count: number): PixelSet {
  const size = 8;
  const random = randomStream(1, part);
  return {
    name: `tiny/${part}`,
    size,
    pixels: Uint8Array.from({ length: count * size * size * 3 }, () => random.integer(256)),
    labels: Int32Array.from({ length: count }, (_, index) => index % 2),
    classes: ["even", "odd"],
    groups: Int32Array.from({ length: count }, (_, index) => index),
    twins: undefined,
    ids: Array.from({ length: count }, (_, index) => `${part}-${index}`),
  };
}
