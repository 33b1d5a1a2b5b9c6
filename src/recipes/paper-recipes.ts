import type { Recipe } from "../train/recipe";

/*
 * The recipes at the paper's own scale. They are data: printed, hashed, checked field by field; `moco pretrain --preset NAME` trains
 * them and `moco estimate` prices them.
 */

const imagenet = {
  dataset: "folder:imagenet",
  imageSize: 224,
  batchSize: 256,
  // 8 GPUs with 32 images each.
  bnGroups: 8,
  optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-4 },
  learningRate: 0.03,
  epochs: 200,
} as const;

const resnet50 = { architecture: "resnet50", width: 64, stem: "imagenet", head: "linear", dimension: 128 } as const;

/** MoCo v1 (section 3.3; facebookresearch/moco@87e36d3, main_moco.py without flags). */
export const mocoV1Recipe: Recipe = {
  ...imagenet,
  name: "moco-v1-imagenet",
  source: "paper, section 3.3; facebookresearch/moco@87e36d3, main_moco.py without flags",
  encoder: resnet50,
  method: { kind: "moco", queueSize: 65536, momentum: 0.999, temperature: 0.07, shuffleBN: true, symmetric: false },
  augmentation: "moco-v1",
  schedule: { kind: "step", milestones: [120, 160], factor: 0.1 },
};

/** MoCo v2 (arXiv 2003.04297): `--mlp --moco-t 0.2 --aug-plus --cos`. */
export function mocoV2Recipe(epochs: 200 | 800): Recipe {
  return {
    ...imagenet,
    name: `moco-v2-imagenet-${epochs}`,
    source: "MoCo v2; facebookresearch/moco@87e36d3, main_moco.py --mlp --moco-t 0.2 --aug-plus --cos",
    encoder: { ...resnet50, head: "mlp" },
    method: { kind: "moco", queueSize: 65536, momentum: 0.999, temperature: 0.2, shuffleBN: true, symmetric: false },
    augmentation: "moco-v2",
    schedule: { kind: "cosine" },
    epochs,
  };
}

/**
 * MoCo v1 on the 100 classes of Tian et al. (IN-100), at a rate of 0.03 for 128 images: with the paper's rate for 256 it was found to
 * fall behind (bl0/moco#1: 69 to 70.5 % at batch 256, 73 % at 128; ssnl/moco_align_uniform: 68.2 and 73.1 %).
 */
const mocoV1Imagenet100Recipe: Recipe = {
  ...mocoV1Recipe,
  name: "moco-v1-imagenet100",
  source: "batch 128 at rate 0.03: bl0/moco#1 and ssnl/moco_align_uniform; the rest as MoCo v1",
  dataset: "folder:imagenet100",
  batchSize: 128,
  bnGroups: 4,
};

/** End-to-end training at the three batches of figure 3, the rate scaled linearly (section 4.1). Its code was never released. */
export function endToEndRecipe(batchSize: 256 | 512 | 1024): Recipe {
  return {
    ...mocoV1Recipe,
    name: `end-to-end-imagenet-${batchSize}`,
    source: "paper, figures 2a and 3, section 4.1; the rest as MoCo v1",
    method: { kind: "end-to-end", temperature: 0.07, shuffleBN: true },
    batchSize,
    bnGroups: batchSize / 32,
    learningRate: (0.03 * batchSize) / 256,
  };
}

/** The paper's memory bank: softmax over K = 65,536 entries, no shuffling BN. */
export const memoryBankRecipe: Recipe = {
  ...mocoV1Recipe,
  name: "memory-bank-imagenet",
  source: "paper, figures 2b and 3; momentum of the representations: Wu et al., 2018; the rest as MoCo v1",
  method: { kind: "memory-bank", negatives: 65536, momentum: 0.5, temperature: 0.07 },
};

/** SimCLR at batch 4096 for 100 epochs, with LARS (its official code's command), here in chunks of the gradient cache. */
export const simclrRecipe: Recipe = {
  ...imagenet,
  name: "simclr-imagenet-4096",
  source:
    "google-research/simclr, README command for ImageNet: rate 0.3 x batch / 256, T 0.1, weight decay 1e-4, 10 epochs of " +
    "warm-up; chunks of 256 views, each a group of batch normalization, in place of its global one",
  encoder: { ...resnet50, head: "mlp" },
  method: { kind: "simclr", temperature: 0.1, chunkSize: 256 },
  batchSize: 4096,
  bnGroups: 32,
  augmentation: "simclr",
  optimizer: { kind: "lars", momentum: 0.9, weightDecay: 1e-4 },
  learningRate: 4.8,
  schedule: { kind: "warmup-cosine", warmup: 10 },
  epochs: 100,
};

/** All of them. */
export const paperRecipes: readonly Recipe[] = [
  mocoV1Recipe,
  mocoV2Recipe(200),
  mocoV2Recipe(800),
  mocoV1Imagenet100Recipe,
  endToEndRecipe(256),
  endToEndRecipe(512),
  endToEndRecipe(1024),
  memoryBankRecipe,
  simclrRecipe,
];
