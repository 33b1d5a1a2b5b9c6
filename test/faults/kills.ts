import type { Random } from "../../src/engine/random";
import type { Fault } from "../files/faulty-files.cjs";
import type { Installation } from "./installation";
import { moco, type Kill } from "./process";
import type { Row, Trial } from "./row";
import {
  classifierTraining,
  compare,
  detectorTraining,
  finish,
  pretraining,
  problemOf,
  recordedDetectorTraining,
  reset,
  resultOf,
  undisturbed,
  untilUnlocked,
  type Undisturbed,
  type Work,
} from "./works";

/** Kills of one training before it is let to its end. */
const killsInARow = 4;

const promise =
  "the same command goes on; the last numbers and the checkpoint's tensors are those without a kill, bit for bit";

/** The moments of the writing of a file: before and after each call, and in the midst of the write. */
function moments(path: string): readonly Fault[] {
  const calls = ["openSync", "writeSync", "fsyncSync", "renameSync"] as const;
  return [
    ...calls.flatMap((call) => [
      { call, path, fault: "kill" },
      { call, path, fault: "killAfter" },
    ]),
    { call: "writeSync", path, fault: "kill", kept: 1000 },
  ];
}

/** The moments of several files, in turn. */
function momentsOf(files: readonly string[]): readonly Fault[] {
  return moments("").flatMap((_, index) => files.map((file) => moments(file)[index]!));
}

const detectorFiles = ["detector.safetensors", "predictions.json", "run.json"];

export const killRows: readonly Row[] = [
  {
    id: "kill-pretrain",
    fault: "SIGKILL while `moco pretrain` trains",
    promise,
    times: { full: 40, short: 1 },
    run: (kit, random, times) => killed(kit, pretraining(kit), moments("checkpoint.safetensors"), random, times),
  },
  {
    id: "kill-detect",
    fault: "SIGKILL while `moco detect` trains and evaluates",
    promise,
    times: { full: 25, short: 1 },
    run: (kit, random, times) => killed(kit, detectorTraining(kit), momentsOf(detectorFiles), random, times),
  },
  {
    id: "kill-detect-recorded",
    fault: "the same, of a training long enough for its steps to be recorded as a graph",
    promise,
    times: { full: 12, short: 0 },
    run: (kit, random, times) =>
      killed(kit, recordedDetectorTraining(kit, "recorded"), momentsOf(detectorFiles), random, times),
  },
  {
    id: "kill-linear",
    fault: "SIGKILL while `moco linear` evaluates",
    promise: "the same command gives the same numbers, and the checkpoint is as it was",
    times: { full: 15, short: 0 },
    run: async function* (kit, random, times) {
      const training = pretraining(kit, "linear");
      await undisturbed(kit, training);
      const words = ["linear", training.folder, "--part", "validation", "--json"];
      yield* killed(kit, { words, folder: training.folder, prints: true }, [], random, times);
    },
  },
  {
    id: "kill-linear-paper",
    fault: "SIGKILL while `moco linear --protocol paper` trains its classifier",
    promise,
    times: { full: 20, short: 1 },
    run: async function* (kit, random, times) {
      const encoder = pretraining(kit, "encoder");
      await undisturbed(kit, encoder);
      const files = ["linear.safetensors", "linear.json"];
      yield* killed(kit, classifierTraining(kit, encoder.folder), momentsOf(files), random, times);
    },
  },
  {
    id: "kill-notebook",
    fault: "SIGKILL while a notebook's cell trains (its kernel, or the command that runs it)",
    promise,
    times: { full: 12, short: 0 },
    run: (kit, random, times) => {
      const work = { words: ["notebook", "04", "--preset", "smoke"], folder: kit.runs };
      const faults = [...moments("checkpoint.safetensors"), ...moments("run.json")];
      return killed(kit, work, faults, random, times);
    },
  },
  {
    id: "kill-reproduce",
    fault: "SIGKILL between two cells of `moco reproduce`",
    promise,
    times: { full: 8, short: 0 },
    run: async function* (kit, random, times) {
      const work = { words: ["reproduce", "--preset", "smoke"], folder: kit.runs };
      const expected = await undisturbed(kit, work);
      for (let trial = 0; trial < times; trial++) {
        reset(work);
        const kill = { atLine: /^cell \d+\/\d+/, count: 1 + random.integer(18) };
        const ended = await moco(kit, work.words, { kill });
        const what = `at cell ${kill.count}`;
        const problem = ended.signal === "SIGKILL" ? undefined : problemOf(ended);
        yield trialOf(what, problem ?? (await finish(kit, work, expected)).problem);
      }
    },
  },
];

/** Kills a work again and again, at chosen moments and at random ones in turn, and lets it to its end now and then. */
async function* killed(
  kit: Installation,
  work: Work,
  chosen: readonly Fault[],
  random: Random,
  times: number,
): AsyncGenerator<Trial, void, void> {
  const expected = await undisturbed(kit, work);
  let next = 0;
  for (let done = 0; done < times;) {
    if (!work.prints) reset(work);
    const kills: string[] = [];
    let problem: string | undefined;
    // A kill that came too late is tried again, but not for ever.
    for (let tries = 0; tries < 3 * killsInARow; tries++) {
      if (kills.length === Math.min(killsInARow, times - done)) break;
      const isChosen = chosen.length > 0 && next % 3 > 0;
      const kill = isChosen ? chosenKill(chosen[next % chosen.length]!, random) : randomKill(expected, random);
      next++;
      await untilUnlocked(work.folder);
      const ended = await moco(kit, work.words, { kill });
      const wasKilled = ended.signal === "SIGKILL" || (isChosen && /kernel died/.test(ended.stderr));
      if (wasKilled) kills.push(describe(kill));
      else problem ??= problemOf(ended);
      if (ended.code === 0) {
        // Nothing is left to kill.
        problem ??= compare(resultOf(work, ended), expected);
        if (!work.prints) reset(work);
      }
      if (problem !== undefined) break;
    }
    problem ??= kills.length === 0 ? "no kill came in time" : (await finish(kit, work, expected)).problem;
    // What is wrong at the end may come from any of them: it is told of the last.
    for (const [index, what] of kills.entries()) {
      yield trialOf(what, index === kills.length - 1 ? problem : undefined);
    }
    if (kills.length === 0) yield trialOf("a kill", problem);
    done += Math.max(1, kills.length);
  }
}

function chosenKill(fault: Fault, random: Random): Kill {
  const several = fault.path?.endsWith(".safetensors");
  return { fault: { ...fault, at: several ? 1 + random.integer(4) : 1 } };
}

function randomKill({ seconds }: Undisturbed, random: Random): Kill {
  return { afterSeconds: Number((random.uniform() * seconds).toFixed(2)) };
}

function describe(kill: Kill): string {
  if ("afterSeconds" in kill) return `after ${kill.afterSeconds} s`;
  if ("atLine" in kill) return `at line ${kill.count}`;
  const { call, path, fault, at, kept } = kill.fault;
  const when = kept ? `${kept} bytes into` : fault === "kill" ? "before" : "after";
  return `${when} ${call} ${at} of ${path}`;
}

function trialOf(what: string, problem: string | undefined): Trial {
  return problem === undefined ? { what } : { what, problem };
}
