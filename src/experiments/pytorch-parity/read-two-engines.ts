import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../../errors";
import { readCheckedJson } from "../../files/checked-json";
import type { EngineRun, EpochMeasurement, TwoEngines } from "./two-engines";

/** Where the runs of both engines and the official log are recorded, under version control. */
export const twoEnginesFolder = join(__dirname, "../../..", "results", "cifar10-demo");

/**
 * Reads what is recorded.
 *
 * @throws InputError if a file is not as it should be
 */
export function readTwoEngines(folder = twoEnginesFolder): TwoEngines {
  return {
    kit: readRuns(folder, "kit"),
    pytorch: readRuns(folder, "pytorch"),
    official: readOfficialLog(join(folder, "official.csv")),
  };
}

const reading = z.object({ epoch: z.number().int().positive(), loss: z.number(), knn: z.number().min(0).max(1) });
const runSchema = z.object({
  engine: z.string().min(1),
  seed: z.number().int(),
  recipe: z.record(z.unknown()),
  data: z.string().min(1),
  curve: z.array(reading),
});

/** Files "kit-seed1.json", by seed. */
function readRuns(folder: string, engine: "kit" | "pytorch"): EngineRun[] {
  if (!existsSync(folder)) return [];
  const seedOf = (file: string) => new RegExp(`^${engine}-seed(\\d+)\\.json$`).exec(file)?.[1];
  return readdirSync(folder)
    .flatMap((file) => {
      const seed = seedOf(file);
      return seed === undefined ? [] : [readRun(join(folder, file), Number(seed))];
    })
    .sort((a, b) => a.seed - b.seed);
}

function readRun(path: string, seed: number): EngineRun {
  const run = readCheckedJson(path, runSchema, { what: "run", advice: "REPRODUCE.md says how to record it again" })!;
  if (run.seed !== seed) {
    throw new InputError(`Cannot read the run ${path}: its name says seed ${seed}, current value is ${run.seed}`);
  }
  return run;
}

/** The log of the authors' CIFAR-10 notebook: epoch, learning rate, loss, kNN accuracy in percent. */
function readOfficialLog(path: string): EpochMeasurement[] {
  if (!existsSync(path)) throw new InputError(`Cannot read the official log: there is no file ${path}`);
  const [head, ...lines] = readFileSync(path, "utf8").trim().split(/\r?\n/);
  const columns = "epoch,lr,train_loss,knn_top1";
  if (head !== columns) {
    throw new InputError(
      `Cannot read the official log ${path}: its columns must be ${columns}, current value is ${head}`,
    );
  }
  return lines.map((line, index) => {
    const [epoch, , loss, knn] = line.split(",").map(Number);
    const parsed = reading.safeParse({ epoch, loss, knn: knn! / 100 });
    if (!parsed.success) throw new InputError(`Cannot read the official log ${path}: line ${index + 2} is "${line}"`);
    return parsed.data;
  });
}
