import { setImmediate } from "node:timers/promises";
import { InterruptedError } from "../errors";
import { lockFolder } from "../files/folder-lock";
import { Pace } from "./pace";

/** What steers the loop of a training, of whatever kind. */
export interface LoopOptions {
  /** Folder of the run. A checkpoint found there is gone on from. */
  readonly directory: string;
  /** Time between checkpoints in seconds. @default 30 */
  readonly checkpointSeconds?: number;
  /** Asked after each step; when true, training saves a checkpoint and throws {@link InterruptedError}. */
  readonly stopRequested?: () => boolean;
  /** Ends after so many steps of the whole schedule, with a checkpoint; takes none where so many are done. */
  readonly stopAfter?: number;
}

/** What is special to a training: an encoder's or a detector's. */
export interface LoopedTraining<Told> {
  /** Counts steps, and the time spent on them. */
  readonly state: { step: number; seconds: number };
  /** The most steps that there are. */
  readonly totalSteps: number;
  readonly batchSize: number;
  /**
   * Before the first step: finishes what an interruption left undone.
   *
   * @returns whether that changed what a checkpoint holds
   */
  readonly prepare?: () => Promise<boolean>;
  /** Whether it has ended before `totalSteps`. */
  readonly hasStopped?: () => boolean;
  /** Takes a step with all that belongs to it, counts it, and returns what is told of it. */
  readonly step: () => Told | Promise<Told>;
  readonly save: () => void;
  readonly dispose: () => void;
}

/** What every training tells after each step. */
export interface LoopProgress {
  /** Steps done, of `totalSteps`, or of fewer where a training may stop before. */
  readonly step: number;
  readonly totalSteps: number;
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
  /** Time spent training so far, over all interruptions. */
  readonly seconds: number;
}

/**
 * The loop of every training: holds the folder's lock, takes step after step, yields after each and lets other work of the
 * process run. Saves a checkpoint at regular intervals, when it is stopped or left, and at the end; not after an error,
 * which may have come in the middle of a step.
 *
 * @param start - starts the training, or goes on with it
 * @throws InputError if another process has the folder, or a checkpoint cannot be written
 */
export async function* trainingLoop<Told extends object>(
  options: LoopOptions,
  start: () => LoopedTraining<Told>,
): AsyncGenerator<Told & LoopProgress, void, void> {
  const lock = lockFolder(options.directory);
  try {
    yield* loop(start(), options);
  } finally {
    lock.release();
  }
}

async function* loop<Told extends object>(
  training: LoopedTraining<Told>,
  { checkpointSeconds = 30, stopRequested, stopAfter = Infinity }: LoopOptions,
): AsyncGenerator<Told & LoopProgress, void, void> {
  const { state, totalSteps, batchSize } = training;
  const isFinished = () => state.step >= Math.min(totalSteps, stopAfter) || training.hasStopped?.() === true;
  const pace = new Pace(state, batchSize);
  let saved = state.step;
  let savedAt = performance.now();
  let prepared = false;
  const save = () => {
    if (state.step === saved && !prepared) return;
    training.save();
    saved = state.step;
    prepared = false;
    savedAt = performance.now();
  };

  try {
    prepared = (await training.prepare?.()) === true;
    while (!isFinished()) {
      const told = await training.step();
      pace.tick();
      if (state.step === totalSteps || performance.now() - savedAt > checkpointSeconds * 1000) save();
      yield {
        ...told,
        step: state.step,
        totalSteps,
        imagesPerSecond: pace.imagesPerSecond,
        secondsLeft: pace.secondsLeft(totalSteps),
        seconds: state.seconds,
      };
      await setImmediate();
      if (!isFinished() && stopRequested?.()) throw interrupted(state.step, totalSteps);
    }
  } catch (error) {
    if (!(error instanceof InterruptedError)) {
      saved = state.step;
      prepared = false;
    }
    throw error;
  } finally {
    try {
      save();
    } finally {
      training.dispose();
    }
  }
}

/** What a training that was asked to stop ends with. */
export function interrupted(step: number, totalSteps: number): InterruptedError {
  return new InterruptedError(
    `Training stopped at step ${step} of ${totalSteps}. Run the same again to go on from there`,
  );
}
