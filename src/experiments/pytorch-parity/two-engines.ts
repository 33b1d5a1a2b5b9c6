import { isDeepStrictEqual } from "node:util";
import { InputError } from "../../errors";
import { seedInterval, type Interval } from "../../statistics/intervals";
import { meanOf } from "../../statistics/mean";
import { cifar10DemoRecipe } from "../../recipes/cifar10-demo";

/**
 * When two engines count as equivalent: the whole interval of their difference lies within these limits. That the interval
 * has 90 % makes it two one-sided tests at 5 % each (Schuirmann, 1987). The first epoch is not judged: its mean has the steps
 * in which the queue still held random keys.
 */
export const equivalence = { loss: 0.1, knn: 0.015, level: 0.9, fromEpoch: 2 } as const;

/** What is read at the end of an epoch. */
export interface EpochMeasurement {
  /** From 1. */
  readonly epoch: number;
  /** InfoNCE, mean over the epoch's steps. */
  readonly loss: number;
  /** Accuracy of the kNN monitor, 0 to 1. */
  readonly knn: number;
}

/** One training by one engine. */
export interface EngineRun {
  /** With its version. */
  readonly engine: string;
  readonly seed: number;
  readonly recipe: Readonly<Record<string, unknown>>;
  /** Checksum of the images. */
  readonly data: string;
  readonly curve: readonly EpochMeasurement[];
}

/** The runs of both engines, and the log of the official demo. */
export interface TwoEngines {
  readonly kit: readonly EngineRun[];
  readonly pytorch: readonly EngineRun[];
  readonly official: readonly EpochMeasurement[];
}

/** Both engines after an epoch: means over the seeds that both have. */
export interface EngineEpoch {
  readonly epoch: number;
  readonly kit: Omit<EpochMeasurement, "epoch"> | undefined;
  readonly pytorch: Omit<EpochMeasurement, "epoch"> | undefined;
  /** Kit minus PyTorch, paired by seed; undefined with fewer than three seeds. */
  readonly difference: { readonly loss: Interval; readonly knn: Interval } | undefined;
  readonly equivalence: "shown" | "not shown" | "not judged";
  readonly official: EpochMeasurement | undefined;
}

/** The comparison of the two engines. */
export interface EngineComparison {
  /** Seeds that both engines have. */
  readonly seeds: readonly number[];
  /** The engines with their versions. */
  readonly engines: readonly string[];
  readonly epochs: readonly EngineEpoch[];
  /** "shown" if it is at every epoch that is judged. */
  readonly equivalence: "shown" | "not shown";
  readonly runs: TwoEngines;
}

/**
 * Compares the engines epoch by epoch, paired by seed: from the same weights and in the same order of images, so that a
 * pair differs by its random views and by rounding only.
 *
 * @throws InputError if runs differ in recipe, images or epochs
 */
export function compareEngines(runs: TwoEngines): EngineComparison {
  assertComparable([...runs.kit, ...runs.pytorch]);
  const pairs = runs.kit.flatMap((kit) => {
    const pytorch = runs.pytorch.find(({ seed }) => seed === kit.seed);
    return pytorch ? [{ kit, pytorch }] : [];
  });
  const epochs = Array.from({ length: cifar10DemoRecipe.epochs }, (_, index): EngineEpoch => {
    const epoch = index + 1;
    const readings = (engine: "kit" | "pytorch") => pairs.map((pair) => pair[engine].curve[index]!);
    const [kit, pytorch] = [readings("kit"), readings("pytorch")];
    const difference = (of: "loss" | "knn") =>
      seedInterval(
        kit.map((reading, at) => reading[of] - pytorch[at]![of]),
        equivalence.level,
      );
    const [loss, knn] = [difference("loss"), difference("knn")];
    const within = loss && knn && lieWithin(loss, equivalence.loss) && lieWithin(knn, equivalence.knn);
    return {
      epoch,
      kit: meanReading(kit),
      pytorch: meanReading(pytorch),
      difference: loss && knn && { loss, knn },
      equivalence: epoch < equivalence.fromEpoch ? "not judged" : within ? "shown" : "not shown",
      official: runs.official.find((reading) => reading.epoch === epoch),
    };
  });
  return {
    seeds: pairs.map(({ kit }) => kit.seed),
    engines: [...new Set(pairs.flatMap(({ kit, pytorch }) => [kit.engine, pytorch.engine]))],
    epochs,
    equivalence: epochs.some((one) => one.equivalence === "not shown") ? "not shown" : "shown",
    runs,
  };
}

function lieWithin({ low, high }: Interval, limit: number): boolean {
  return low >= -limit && high <= limit;
}

function meanReading(readings: readonly EpochMeasurement[]): Omit<EpochMeasurement, "epoch"> | undefined {
  if (readings.length === 0) return undefined;
  const mean = (of: "loss" | "knn") => meanOf(readings.map((reading) => reading[of]));
  return { loss: mean("loss"), knn: mean("knn") };
}

function assertComparable(runs: readonly EngineRun[]): void {
  const wanted = Array.from({ length: cifar10DemoRecipe.epochs }, (_, index) => index + 1);
  for (const run of runs) {
    const of = `${run.engine}, seed ${run.seed}`;
    if (!isDeepStrictEqual(trainedBy(run), trainedBy(runs[0]!))) {
      throw new InputError(`Cannot compare the engines: recipe and images must be the same, those of ${of} differ`);
    }
    const epochs = run.curve.map(({ epoch }) => epoch);
    if (!isDeepStrictEqual(epochs, wanted)) {
      throw new InputError(
        `Cannot compare the engines: a run must have the epochs ${wanted.join(", ")}, those of ${of} are ${epochs.join(", ")}`,
      );
    }
  }
}

/** What a training depends on, but for the seed: the checksum says which images, wherever they lay. */
function trainedBy({ recipe, data }: EngineRun): unknown {
  const { name: _name, source: _source, dataset: _dataset, ...trained } = recipe;
  return { trained, data };
}
