import type { Recipe } from "../train/recipe";

/**
 * The official CIFAR-10 demo at a quarter of its width and the first 5 of its 200 epochs: what the kit and PyTorch train
 * side by side.
 */
export const cifar10DemoRecipe: Recipe = {
  name: "cifar10-demo",
  source:
    "facebookresearch/moco, colab/moco_cifar10_demo.ipynb (all values but two); width 16 in place of 64 and the first 5 of " +
    "200 epochs: what two cores train in minutes",
  dataset: "cifar10",
  imageSize: 32,
  encoder: { architecture: "resnet18", width: 16, stem: "cifar", head: "linear", dimension: 128 },
  method: { kind: "moco", queueSize: 4096, momentum: 0.99, temperature: 0.1, shuffleBN: true, symmetric: false },
  batchSize: 512,
  bnGroups: 8,
  augmentation: "cifar10-demo",
  optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 5e-4 },
  learningRate: 0.06,
  schedule: { kind: "cosine", over: 200 },
  epochs: 5,
};

/** The demo's kNN monitor, on fewer images: weighted votes of the nearest 200, T = 0.1, on the 128-d embedding. */
export const cifar10DemoMonitor = { k: 200, temperature: 0.1, bank: 10_000, images: 2_000 } as const;
