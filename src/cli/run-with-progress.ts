import { whileLocked } from "../files/folder-lock";
import { progressBar, type Steps } from "./progress-bar";
import { prepareFolder } from "./run-folder";

/** Where a training runs, and how it is shown. */
export interface ShownRun<T> {
  /** The run's folder. */
  readonly directory: string;
  /** Stdout is for the outcome then, and all else goes to stderr. */
  readonly json: boolean | undefined;
  readonly describe: (progress: T) => string;
}

/** How a run tells what it does. */
export interface RunOutput<T> {
  /** Prints a line. */
  readonly say: (line: string) => void;
  /** Shows how far it is; says first after which step it goes on. */
  readonly show: (progress: T) => void;
}

/**
 * Runs a training in its folder: makes the folder, keeps other processes out of it, and shows how the training goes.
 *
 * @throws InputError if the folder cannot be made, or another process has it, and as the training does
 */
export async function runWithProgress<T extends Steps, Outcome>(
  { directory, json, describe }: ShownRun<T>,
  run: (output: RunOutput<T>) => Promise<Outcome>,
): Promise<Outcome> {
  prepareFolder(directory);
  const stream = json ? process.stderr : process.stdout;
  const bar = progressBar(stream, describe);
  const say = (line: string): void => {
    bar.stop();
    stream.write(`${line}\n`);
  };
  let begun = false;
  const show = (progress: T): void => {
    if (!begun && progress.step > 1) say(`Going on after step ${progress.step - 1} of ${progress.totalSteps}.`);
    begun = true;
    bar.show(progress);
  };
  return whileLocked(directory, async () => {
    try {
      return await run({ say, show });
    } finally {
      bar.stop();
    }
  });
}
