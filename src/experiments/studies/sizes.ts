import type { Preset, PresetName } from "../../recipes/presets";

/** The axes of the studies at the size of a preset. Whatever is not named here is the preset's own. */
export interface StudySizes {
  /** Shuffling BN by groups of batch normalization. */
  readonly shuffling: { readonly groups: readonly number[]; readonly epochs: number };
  /** Drift of stored keys, and masking of the oldest. */
  readonly staleness: {
    /** m of MoCo's key encoder. */
    readonly momenta: readonly number[];
    /** Share of the old representation that an entry of the memory bank keeps. */
    readonly bankMomenta: readonly number[];
    readonly epochs: number;
    /** Ages at which keys are looked at, in steps; a dictionary is read at those that it holds. */
    readonly ages: readonly number[];
    /** How often the dictionary is read, evenly over the training. */
    readonly readings: number;
    /** Shares of the queue that are masked. */
    readonly masked: readonly number[];
  };
  /** m against length of training. */
  readonly momentumLength: { readonly momenta: readonly number[]; readonly epochs: readonly number[] };
  /** False negatives, counted without training. */
  readonly falseNegatives: { readonly queueSizes: readonly number[]; readonly epochs: number };
  /** Seconds that an epoch of MoCo takes on two quiet cores, measured: for the estimate before the start. */
  readonly secondsPerEpoch: number;
  /** Seconds for evaluating a trained encoder there, measured. */
  readonly secondsToEvaluate: number;
}

const masked = [0, 0.25, 0.5, 0.75];

/** What is watched of the drift of stored keys, but at which ages: those follow from the size of the queue. */
const watched = { momenta: [0, 0.9, 0.99], bankMomenta: [0, 0.5], epochs: 4, readings: 16, masked };

const sizes: Readonly<Record<PresetName, (preset: Preset) => StudySizes>> = {
  quick: ({ queueSizes, base }) => ({
    // Four epochs: the statistics of a group give the positive away within the first ones, if they do.
    shuffling: { groups: [1, 2, 8], epochs: 4 },
    staleness: {
      ...watched,
      // The queue of 1,024 keys holds 16 batches; an entry of the bank is up to two epochs of 35 steps old, seldom more.
      ages: [0, 1, 2, 4, 8, 15, 30, 60],
    },
    // The longest is the preset's own.
    momentumLength: { momenta: [0, 0.9, 0.99, 0.999, 0.9999], epochs: [1, 2, 4, base.epochs] },
    falseNegatives: { queueSizes: [...queueSizes, 2048, 4096], epochs: 10 },
    secondsPerEpoch: 4.3,
    secondsToEvaluate: 2,
  }),
  small: ({ queueSizes, base }) => ({
    shuffling: { groups: [1, 8], epochs: 4 },
    staleness: {
      ...watched,
      // The queue of 2,048 keys holds 16 batches; an entry of the bank is up to two epochs of 332 steps old, seldom more.
      ages: [0, 1, 2, 4, 8, 15, 60, 500],
    },
    momentumLength: { momenta: [0, 0.9, 0.99, 0.999, 0.9999], epochs: [2, 5, base.epochs] },
    falseNegatives: { queueSizes: [...queueSizes, 4096, 16384], epochs: 10 },
    secondsPerEpoch: 24,
    secondsToEvaluate: 20,
  }),
  smoke: ({ queueSizes, base }) => ({
    shuffling: { groups: [2], epochs: 1 },
    staleness: { momenta: [0.99], bankMomenta: [0.5], epochs: 1, ages: [0, 1, 8], readings: 4, masked },
    momentumLength: { momenta: [0, 0.9], epochs: [base.epochs] },
    falseNegatives: { queueSizes: [...queueSizes, 4096], epochs: 10 },
    secondsPerEpoch: 1,
    secondsToEvaluate: 1,
  }),
};

/** The sizes of the studies at a preset. */
export function studySizes(preset: Preset): StudySizes {
  return sizes[preset.name](preset);
}
