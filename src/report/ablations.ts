import type { Ablation } from "../experiments/ablation/ablation";
import { momentumAblation } from "../experiments/ablation/momentum";
import { queueSizeAblation } from "../experiments/ablation/queue-size";
import { trainingLengths } from "../experiments/ablation/training-length";
import { encoderComparison } from "../experiments/linear-evaluation/encoder-comparison";
import { linearEvaluation } from "../experiments/linear-evaluation/linear-evaluation";
import { bestRates, mechanismAblation, type RateTrial } from "../experiments/mechanisms/mechanisms";
import type { Preset } from "../recipes/presets";

/**
 * The tables of encoders, by their names on the command line. The comparison of mechanisms needs rates that were chosen on
 * validation; without them there is none.
 */
export const ablations: Readonly<
  Record<Ablation["id"], (preset: Preset, trials: readonly RateTrial[]) => Ablation | undefined>
> = {
  mechanisms: (preset, trials) => {
    const rates = bestRates(trials);
    return rates && mechanismAblation(preset, rates);
  },
  "linear-evaluation": linearEvaluation,
  encoders: encoderComparison,
  "training-length": trainingLengths,
  "queue-size": queueSizeAblation,
  momentum: momentumAblation,
};

/** Their names, in the order of a report. */
export const ablationNames = Object.keys(ablations) as Ablation["id"][];
