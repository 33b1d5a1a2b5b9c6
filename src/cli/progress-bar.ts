import { percent } from "../display/percent";
import { Presets, SingleBar } from "cli-progress";
import { clock } from "../display/clock";
import type { LinearProgress } from "../evaluate/train-linear";
import type { TrainingProgress } from "../train/pretrain";

/** What every training tells. */
export interface Steps {
  readonly step: number;
  readonly totalSteps: number;
}

/** Shows how a training goes. */
export interface ProgressBar<T> {
  readonly show: (progress: T) => void;
  /** Leaves the last state on the screen; to be called at the end, whatever the end is. */
  readonly stop: () => void;
}

/** Seconds between lines where the stream is a file or a pipe. */
const lineSeconds = 5;

/** Steps that take longer are told: a Ctrl-C is noticed only when the step has ended. */
const patienceSeconds = 2;

/** A bar on a terminal; elsewhere, plain lines every few seconds. Where steps are long, both say when a stop is answered. */
export function progressBar<T extends Steps>(
  stream: NodeJS.WriteStream,
  describe: (progress: T) => string,
): ProgressBar<T> {
  let last: { readonly step: number; readonly at: number } | undefined;
  let answered = "";
  const { show, stop } = (stream.isTTY ? bar : lines)<T>(stream, (progress) => describe(progress) + answered);
  return {
    show: (progress) => {
      const at = performance.now();
      const seconds = last && progress.step > last.step ? (at - last.at) / 1000 / (progress.step - last.step) : 0;
      answered = seconds > patienceSeconds ? `, a stop is answered after a step of ${seconds.toFixed(0)} s` : "";
      last = { step: progress.step, at };
      show(progress);
    },
    stop,
  };
}

/** "step 12 of 490, epoch 1, loss 5.1234, pretext accuracy 12.3 %, 640 images/s, 1:02 left, kNN 31.0 %" */
export function describeProgress({
  step,
  totalSteps,
  epoch,
  loss,
  accuracy,
  gradientNorm,
  imagesPerSecond,
  secondsLeft,
  history,
}: TrainingProgress): string {
  const knn = history.monitor.at(-1)?.knn;
  return [
    `step ${step} of ${totalSteps}`,
    `epoch ${epoch + 1}`,
    `loss ${loss.toFixed(4)}`,
    `pretext accuracy ${percent(accuracy)}`,
    `gradient norm ${gradientNorm.toPrecision(3)}`,
    `${imagesPerSecond.toFixed(0)} images/s`,
    `${clock(secondsLeft)} left`,
    ...(knn === undefined ? [] : [`kNN ${percent(knn)} (validation)`]),
  ].join(", ");
}

/** "step 12 of 490, epoch 1, loss 5.1234, accuracy 12.3 %, 640 images/s, 1:02 left, top-1 31.0 %, top-5 60.1 %" */
export function describeLinearProgress(progress: LinearProgress): string {
  const { step, totalSteps, epoch, loss, accuracy, imagesPerSecond, secondsLeft, history } = progress;
  const last = history.epochs.at(-1);
  return [
    `step ${step} of ${totalSteps}`,
    `epoch ${epoch + 1}`,
    `loss ${loss.toFixed(4)}`,
    `accuracy ${percent(accuracy)}`,
    `${imagesPerSecond.toFixed(0)} images/s`,
    `${clock(secondsLeft)} left`,
    ...(last === undefined
      ? []
      : [`after epoch ${last.epoch} top-1 ${percent(last.topOne)}, top-5 ${percent(last.topFive)}`]),
  ].join(", ");
}

// Not gracefulExit: it would stop the bar at Ctrl-C, while the last step and the checkpoint are still to come.
function bar<T extends Steps>(stream: NodeJS.WriteStream, describe: (progress: T) => string): ProgressBar<T> {
  const single = new SingleBar(
    { stream, format: "{bar} {text}", barsize: 20, gracefulExit: false },
    Presets.shades_grey,
  );
  let last = 0;
  return {
    show: (progress) => {
      const payload = { text: describe(progress) };
      // What is evaluated after a training counts from 1 again.
      if (progress.step < last) single.stop();
      last = progress.step;
      if (!single.isActive) single.start(progress.totalSteps, progress.step, payload);
      else single.update(progress.step, payload);
    },
    stop: () => {
      if (single.isActive) single.stop();
    },
  };
}

function lines<T extends Steps>(stream: NodeJS.WriteStream, describe: (progress: T) => string): ProgressBar<T> {
  let printedAt = -Infinity;
  return {
    show: (progress) => {
      const now = performance.now();
      if (now - printedAt < lineSeconds * 1000 && progress.step < progress.totalSteps) return;
      printedAt = now;
      stream.write(`${describe(progress)}\n`);
    },
    stop: () => undefined,
  };
}
