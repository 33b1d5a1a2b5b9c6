import { join } from "node:path";
import { batchesPerEpoch } from "../../data/batches";
import type { ImageData } from "../../data/image-set";
import type { TextRow } from "../../display/table";
import { InputError } from "../../errors";
import { runCell } from "../../runs/run-cell";
import { resultsFolder } from "../../runs/run-name";
import { readRunRecord } from "../../runs/run-record";
import { recordedRuns } from "../../runs/run-store";
import type { TrainingProgress } from "../../train/pretrain";
import { falseNegatives, type FalseNegatives } from "./false-negatives";
import { informationBound, type InformationBound } from "./information-bound";
import { momentumLengthStudy, type MomentumLengthStudy } from "./momentum-length";
import { observeStaleness, readStaleness, stalenessPath, type StalenessRecord } from "./observe-staleness";
import type { StudyPlan } from "./plan";
import { shufflingStudy, type ShufflingStudy } from "./shuffling";
import { stalenessStudy, type StalenessCell, type StalenessStudy } from "./staleness";
import type { FindRun, FindRuns, StudyCell, StudyRun } from "./study";

/** The five studies of notebook 05, each with its numbers and a sentence made from them. */
export interface Studies {
  readonly staleness: StalenessStudy;
  readonly momentumLength: MomentumLengthStudy;
  readonly bound: InformationBound;
  readonly shuffling: ShufflingStudy;
  readonly negatives: FalseNegatives;
}

export interface TrainStudiesOptions {
  readonly seed: number;
  readonly onProgress?: (cell: StudyCell, progress: TrainingProgress) => void;
  readonly stopRequested?: () => boolean;
}

/** Trains what the studies need and is not trained yet: what was stopped goes on, but for the trainings that are watched. */
export function trainStudies(
  plan: StudyPlan,
  data: ImageData,
  { seed, onProgress, stopRequested }: TrainStudiesOptions,
): Promise<Studies> {
  const options = (cell: StudyCell) => ({
    onProgress: (progress: TrainingProgress) => onProgress?.(cell, progress),
    ...(stopRequested && { stopRequested }),
  });
  const findRun: FindRun = (cell) => runCell(cell.recipe, seed, data, plan.preset, options(cell));
  return studiesOf(plan, data, seed, {
    findRun,
    findRuns: async (cell) => [await findRun(cell)],
    observed: (cell) => observeStaleness(cell.recipe, seed, data, plan.sizes.staleness, options(cell)),
  });
}

/**
 * The studies by the runs that the kit has recorded; trains nothing. What has more seeds than the one asked for is shown with
 * all of them.
 *
 * @throws InputError if a training is not recorded
 */
export function recordedStudies(plan: StudyPlan, data: ImageData, seed = 1): Promise<Studies> {
  const { preset, sizes } = plan;
  const store = recordedRuns(preset);
  const recorded = ({ recipe }: StudyCell, of: number) => readRunRecord(store.run(recipe, of));
  const found = <T>({ label }: StudyCell, record: T | undefined): T => {
    if (record !== undefined) return record;
    throw new InputError(
      `Cannot show the studies: ${label}, seed ${seed}, is not recorded at preset ${preset.name} with these axes. Train it ` +
        "(anew = true in a notebook), or choose preset quick and its own axes",
    );
  };
  const runOf = (cell: StudyCell) => found(cell, recorded(cell, seed));
  /** The run of the seed asked for first, then those of the seeds from 1 on that are recorded. */
  const runsOf = (cell: StudyCell): StudyRun[] => {
    const runs: StudyRun[] = [runOf(cell)];
    for (let other = 1; ; other++) {
      if (other === seed) continue;
      const run = recorded(cell, other);
      if (run === undefined) return runs;
      runs.push(run);
    }
  };
  const recordOf = (cell: StalenessCell) => {
    const path = stalenessPath(cell.recipe, seed, data.checksum, sizes.staleness, join(resultsFolder, preset.name));
    return found(cell, readStaleness(path));
  };
  // Within a promise, so that what is missing rejects it.
  const looked = <T>(look: () => T): Promise<T> => Promise.resolve().then(look);
  return studiesOf(plan, data, seed, {
    findRun: (cell) => looked(() => runOf(cell)),
    findRuns: (cell) => looked(() => runsOf(cell)),
    observed: (cell) => looked(() => recordOf(cell)),
  });
}

/** The sentence of each study beside its question. */
export function studyAnswers({ staleness, momentumLength, bound, shuffling, negatives }: Studies): TextRow[] {
  return [
    { question: "D3: are the queue's older keys inconsistent, and does it matter?", finding: staleness.finding },
    { question: "D4: does the best m have to be searched for?", finding: momentumLength.finding },
    { question: "D5: what does InfoNCE say of mutual information?", finding: bound.finding },
    { question: "Figure A.1: do batch statistics give the positive away?", finding: shuffling.finding },
    { question: "Section 3.2: how many of the queue's negatives are false?", finding: negatives.finding },
  ];
}

async function studiesOf(
  plan: StudyPlan,
  { train, validation }: ImageData,
  seed: number,
  {
    findRun,
    findRuns,
    observed,
  }: {
    readonly findRun: FindRun;
    readonly findRuns: FindRuns;
    readonly observed: (cell: StalenessCell) => Promise<StalenessRecord>;
  },
): Promise<Studies> {
  const { sizes, preset } = plan;
  const { batchSize } = preset.base;
  const validationImages = validation.labels.length;
  return {
    shuffling: await shufflingStudy(plan.shuffling, findRun, validationImages),
    staleness: await stalenessStudy(plan.staleness, observed),
    momentumLength: await momentumLengthStudy(plan.momentumLength, findRun, {
      stepsPerEpoch: batchesPerEpoch(train, batchSize),
      validationImages,
    }),
    negatives: falseNegatives(train, { ...sizes.falseNegatives, batchSize, seed }),
    bound: await informationBound(plan.informationBound, findRuns),
  };
}
