import { InputError } from "../errors";
import type { ResNetConfig } from "../nn/resnet-layout";
import type { Recipe } from "../train/recipe";

export const presetNames = ["smoke", "quick", "small"] as const;
export type PresetName = (typeof presetNames)[number];

/** A size at which the ablations are run. */
export interface Preset {
  readonly name: PresetName;
  readonly purpose: string;
  /** What all cells share, whatever the method; but those of the two ablations. */
  readonly base: Omit<Recipe, "name" | "method">;
  /** The ablations of the queue's size and of the momentum (notebooks 03 and 04), which have more steps than the rest. */
  readonly ablations: {
    readonly base: Omit<Recipe, "name" | "method">;
    /** K of the queue ablation, each with the K of the paper that is as many batches long. */
    readonly queueSizes: readonly { readonly queueSize: number; readonly paper: number | undefined }[];
    /**
     * The largest K among those of which a rise is asked. Where the set allows it, a tenth of its training images: in a longer
     * queue a query meets its own image, which the paper's largest (a twentieth of ImageNet) hardly does.
     */
    readonly largestOfTrend: number;
  };
  /** T of all contrastive methods. */
  readonly temperature: number;
  /** Classes of the data set, for the supervised baseline. */
  readonly classes: number;
  /** K of the rows on the queue in studies and transfers. */
  readonly queueSizes: readonly number[];
  /** m of the queue ablation. */
  readonly queueAblationMomentum: number;
  readonly momenta: readonly number[];
  /** What the other m are compared with: the largest whose key encoder averages over no more than a third of the training. */
  readonly referenceMomentum: number;
  /** K of the momentum ablation. */
  readonly momentumAblationQueueSize: number;
  /** The comparison of mechanisms (notebook 01). */
  readonly mechanisms: {
    /** Grid of learning rates, the same for each mechanism, tried on validation. */
    readonly rates: readonly number[];
    /** Epochs of a trial of a rate. */
    readonly trialEpochs: number;
    /** K of MoCo and of the memory bank. */
    readonly dictionarySizes: readonly number[];
    /** Batches of the mechanisms whose dictionary is the batch. */
    readonly batchSizes: readonly number[];
    /** Minutes on two cores, one seed: shown before they start. */
    readonly minutes: number;
  };
  /** How often the kNN monitor is read over a training. */
  readonly monitorTimes: number;
  readonly knn: { readonly k: number; readonly temperature: number };
  /** How many random networks stand beside the trained ones. */
  readonly randomNetworks: number;
  /** Minutes that notebooks 03 and 04 take together on two cores, one seed: shown before they start. */
  readonly minutes: number;
  /** Minutes of all notebooks. */
  readonly allMinutes: number;
}

const quickBase: Preset["base"] = {
  source:
    "head, optimizer and weight decay: paper, section 3.3; T, cosine schedule and CIFAR stem: official CIFAR-10 demo; " +
    "augmentation, learning rate and size of the images: chosen on the validation part; " +
    "width, batch, groups and length: what a minute on two cores allows (REPRODUCE.md)",
  dataset: "emoji",
  imageSize: 20,
  encoder: { architecture: "resnet18", width: 16, stem: "cifar", head: "linear", dimension: 128 },
  batchSize: 64,
  bnGroups: 2,
  augmentation: "moco-v2",
  learningRate: 0.01,
  optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-4 },
  schedule: { kind: "cosine" },
  epochs: 10,
};

const quick: Preset = {
  name: "quick",
  purpose: "README's main job: both ablations on a laptop in about 10 minutes",
  base: quickBase,
  ablations: {
    base: {
      ...quickBase,
      source:
        "head, optimizer and weight decay: paper, section 3.3; T, cosine schedule and CIFAR stem: official CIFAR-10 demo; " +
        "augmentation, learning rate and size of the images: chosen on the validation part; " +
        "width, batch, groups and length: what 75 seconds on two cores allow (REPRODUCE.md)",
      batchSize: 128,
      learningRate: 0.06,
      epochs: 50,
    },
    queueSizes: [
      { queueSize: 128, paper: 256 },
      { queueSize: 256, paper: 512 },
      { queueSize: 512, paper: 1024 },
      { queueSize: 1024, paper: undefined },
      { queueSize: 2048, paper: 4096 },
    ],
    largestOfTrend: 2048,
  },
  temperature: 0.1,
  classes: 9,
  queueSizes: [64, 128, 256, 512, 1024],
  queueAblationMomentum: 0.99,
  momenta: [0, 0.9, 0.99, 0.999],
  referenceMomentum: 0.99,
  momentumAblationQueueSize: 1024,
  mechanisms: {
    rates: [0.003, 0.01, 0.03],
    trialEpochs: 3,
    dictionarySizes: [64, 256, 1024],
    batchSizes: [64, 128],
    minutes: 14,
  },
  monitorTimes: 5,
  knn: { k: 20, temperature: 0.1 },
  randomNetworks: 5,
  minutes: 10,
  allMinutes: 90,
};

const smokeBase: Preset["base"] = {
  ...quickBase,
  source: "preset quick, cut down to run in seconds",
  imageSize: 16,
  encoder: { ...quickBase.encoder, width: 8 },
  epochs: 1,
};

const smoke: Preset = {
  ...quick,
  name: "smoke",
  purpose: "tests and continuous integration: every step of the main job in seconds, at a scale that shows nothing",
  base: smokeBase,
  ablations: {
    base: smokeBase,
    queueSizes: [
      { queueSize: 64, paper: 256 },
      { queueSize: 128, paper: 512 },
    ],
    largestOfTrend: 128,
  },
  queueSizes: [64, 128],
  momenta: [0, 0.99],
  momentumAblationQueueSize: 128,
  mechanisms: { rates: [0.01, 0.03], trialEpochs: 1, dictionarySizes: [64], batchSizes: [64], minutes: 1 },
  monitorTimes: 1,
  randomNetworks: 2,
  minutes: 1,
  allMinutes: 6,
};

const smallBase: Preset["base"] = {
  ...quickBase,
  source:
    "head, groups of 32 images, optimizer and weight decay: paper, section 3.3; T, cosine schedule and CIFAR stem: official CIFAR-10 " +
    "demo; augmentation: MoCo v2; learning rate: chosen on the validation part; width, batch, length and size of the images: what " +
    "eight minutes on two cores allow (REPRODUCE.md)",
  dataset: "folder:cifar10-jpeg",
  imageSize: 16,
  batchSize: 128,
  bnGroups: 4,
  learningRate: 0.03,
  epochs: 20,
};

const small: Preset = {
  name: "small",
  purpose: "recorded evidence on photographs: CIFAR-10-JPEG75, eight minutes for each training, hours for a table",
  base: smallBase,
  ablations: {
    base: smallBase,
    queueSizes: [
      { queueSize: 256, paper: 512 },
      { queueSize: 512, paper: 1024 },
      { queueSize: 1024, paper: undefined },
      { queueSize: 2048, paper: 4096 },
      { queueSize: 4096, paper: undefined },
      { queueSize: 8192, paper: 16384 },
      { queueSize: 16384, paper: undefined },
    ],
    largestOfTrend: 4096,
  },
  temperature: 0.1,
  classes: 10,
  queueSizes: [256, 512, 1024, 2048],
  queueAblationMomentum: 0.99,
  momenta: [0, 0.9, 0.99, 0.999, 0.9999],
  referenceMomentum: 0.999,
  momentumAblationQueueSize: 2048,
  mechanisms: {
    rates: [0.015, 0.03, 0.06],
    trialEpochs: 4,
    dictionarySizes: [128, 512, 2048],
    batchSizes: [128, 256],
    minutes: 120,
  },
  monitorTimes: 10,
  knn: { k: 200, temperature: 0.1 },
  randomNetworks: 5,
  minutes: 100,
  allMinutes: 480,
};

const presets: Readonly<Record<PresetName, Preset>> = { smoke, quick, small };

/**
 * A preset by name.
 *
 * @throws InputError listing the names there are
 */
export function presetNamed(name: string): Preset {
  const preset = (presets as Readonly<Record<string, Preset | undefined>>)[name];
  if (preset === undefined) {
    throw new InputError(`Cannot find the preset: choose one of ${presetNames.join(", ")}, current value is "${name}"`);
  }
  return preset;
}

/** The preset whose encoders have this backbone, whatever its stem; undefined where the kit trains none of that size. */
export function presetWithBackbone({ architecture, width }: ResNetConfig): Preset | undefined {
  return Object.values(presets).find(
    ({ base: { encoder } }) => encoder.architecture === architecture && encoder.width === width,
  );
}
