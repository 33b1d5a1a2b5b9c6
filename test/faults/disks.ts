import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../../src/engine/random";
import { previousOf } from "../../src/files/generations";
import type { Fault, FaultyCall } from "../files/faulty-files.cjs";
import { checkpointContent } from "./content";
import type { Installation } from "./installation";
import { moco, shell, type Ended } from "./process";
import type { Row, Trial } from "./row";
import { detectorTraining, finish, pretraining, reset, resultOf, compare, undisturbed, type Work } from "./works";

const promise =
  "training ends with exit code 2 and says what could not be written, what it needs, what is kept and what to do; the last " +
  "good checkpoint is whole; with room again, the same command goes on to the same bits";

/** What a message about a file that could not be written says. */
const said = /^Cannot (write|lock|use) .+: .+ \(E[A-Z]+\).*\. .+/m;

/** What writing a checkpoint calls. */
const calls: readonly FaultyCall[] = [
  "openSync",
  "writeSync",
  "fsyncSync",
  "readSync",
  "closeSync",
  "linkSync",
  "renameSync",
];

export const diskRows: readonly Row[] = [
  {
    id: "disk-full-pretrain",
    fault: "the disk is full at the n-th byte of checkpoints (ENOSPC), `moco pretrain`",
    promise,
    times: { full: 15, short: 1 },
    run: (kit, random, times) =>
      // Three checkpoints of about 2.3 MB.
      refused(kit, pretraining(kit, "full"), times, (trial) => ({
        call: "writeSync",
        path: "checkpoint.safetensors",
        fault: "ENOSPC",
        bytes: Math.floor(((trial + random.uniform()) / times) * 7e6),
      })),
  },
  {
    id: "disk-full-detect",
    fault: "the disk is full at the n-th byte of a detector's files, its evaluation's among them (ENOSPC)",
    promise,
    times: { full: 12, short: 0 },
    run: (kit, random, times) =>
      refused(kit, detectorTraining(kit, "full-detect"), times, (trial) => {
        const path = ["predictions.json", "run.json", "detector.safetensors"][trial % 3]!;
        return { call: "writeSync", path, fault: "ENOSPC", bytes: random.integer(path === "run.json" ? 1000 : 20_000) };
      }),
  },
  {
    id: "disk-full-real",
    fault:
      "a file system with 0.5 to 5 MB left that fills up while `moco pretrain` trains (needs the right to mount one)",
    promise,
    times: { full: 4, short: 0 },
    run: fullFileSystem,
  },
  {
    id: "disk-fails",
    fault: "a call on a checkpoint's file fails (EIO, EDQUOT, EROFS, EACCES), each call in turn",
    promise,
    times: { full: 28, short: 1 },
    run: (kit, random, times) =>
      refused(kit, pretraining(kit, "fails"), times, (trial) => ({
        call: calls[trial % calls.length]!,
        path: "checkpoint.safetensors",
        fault: ["EIO", "EDQUOT", "EROFS", "EACCES"][Math.floor(trial / calls.length) % 4]!,
        at: 1 + random.integer(3),
      })),
  },
  {
    id: "disk-slow",
    fault: "writes of a checkpoint are taken in halves, and one bit of a write is flipped",
    promise:
      "halves change nothing; the flipped bit is noticed before the old checkpoint goes, and said as a failing disk",
    times: { full: 4, short: 1 },
    run: async function* (kit, random, times) {
      const work = pretraining(kit, "slow");
      const expected = await undisturbed(kit, work);
      for (let trial = 0; trial < times; trial++) {
        reset(work);
        const fault = trial % 2 === 0 ? "short" : "flip";
        const at = 1 + random.integer(3);
        const kill = { fault: { call: "writeSync", path: "checkpoint.safetensors", fault, at } as const };
        const ended = await moco(kit, work.words, { kill });
        const problem =
          fault === "short" ? compare(resultOf(work, ended), expected) : await refusal(kit, work, ended, expected);
        yield { what: `${fault} at write ${at}`, ...(problem !== undefined && { problem }) };
      }
    },
  },
];

/** Tries faults that a training cannot go on with. */
async function* refused(
  kit: Installation,
  work: Work,
  times: number,
  faultOf: (trial: number) => Fault,
): AsyncGenerator<Trial, void, void> {
  const expected = await undisturbed(kit, work);
  for (let trial = 0; trial < times; trial++) {
    reset(work);
    const fault = faultOf(trial);
    const ended = await moco(kit, work.words, { kill: { fault } });
    const { call, path, fault: code, at, bytes } = fault;
    const where = bytes === undefined ? `${call} ${at}` : `byte ${bytes}`;
    // The kit does without a second name of a file.
    const without = ended.code === 0 && call === "linkSync";
    const problem = without ? compare(resultOf(work, ended), expected) : await refusal(kit, work, ended, expected);
    const what = `${code} at ${where} of ${path}${without ? ", which it does without" : ""}`;
    yield { what, ...(problem !== undefined && { problem }) };
  }
}

/** Looks at a training that could not write: what it said, what is left, and whether it goes on. */
async function refusal(
  kit: Installation,
  work: Work,
  { code, stderr }: Ended,
  expected: Awaited<ReturnType<typeof undisturbed>>,
): Promise<string | undefined> {
  if (code !== 2) return `ended with ${code}: ${stderr.trim()}`;
  if (!said.test(stderr)) return `said: ${stderr.trim()}`;
  const damaged = ["checkpoint.safetensors", "detector.safetensors"].flatMap(
    (name) => damagedCheckpoint(join(work.folder, name)) ?? [],
  );
  return damaged[0] ?? (await finish(kit, work, expected)).problem;
}

function damagedCheckpoint(path: string): string | undefined {
  const left = [path, previousOf(path)].find((file) => existsSync(file));
  if (left === undefined) return undefined;
  try {
    checkpointContent(left);
    return undefined;
  } catch (error) {
    return `the last checkpoint is damaged: ${(error as Error).message}`;
  }
}

/** A real file system in memory, in a mount namespace of its own. */
async function* fullFileSystem(kit: Installation, random: Random, times: number): AsyncGenerator<Trial, void, void> {
  const work = pretraining(kit, "real");
  const expected = await undisturbed(kit, work);
  for (let trial = 0; trial < times; trial++) {
    reset(work);
    // Room for none, one or two checkpoints.
    const kilobytes = 500 + random.integer(4500);
    const script = `mkdir "$FOLDER" && mount -t tmpfs -o size=12m none "$FOLDER" || exit 77
      head -c $((12 * 1024 * 1024 - ${kilobytes} * 1024)) /dev/zero > "$FOLDER/ballast"
      "$MOCO" "$@" >&2; echo "code $?"; ls "$FOLDER" >&2
      rm "$FOLDER/ballast"; "$MOCO" "$@" > /dev/null; echo "then $?"
      cp -r "$FOLDER" "$FOLDER.copy"`;
    const mounted = await shell(kit, `exec unshare --mount --map-root-user sh -c "$SCRIPT" sh "$@"`, work.words, {
      env: { SCRIPT: script, FOLDER: work.folder },
    });
    if (mounted.code === 77 || /unshare failed|not found/.test(mounted.stderr)) return;
    const copy = { ...work, folder: `${work.folder}.copy` };
    const wanted = /^code [02]\nthen 0\n$/;
    const problem = !wanted.test(mounted.stdout)
      ? `ended with ${mounted.stdout.trim()}: ${mounted.stderr.trim()}`
      : mounted.stdout.startsWith("code 2") && !/the disk is full \(ENOSPC\); it needs \d+ bytes/.test(mounted.stderr)
        ? `said: ${mounted.stderr.trim()}`
        : compare(resultOf(copy, mounted), expected);
    reset(copy);
    yield { what: `${kilobytes} kB are free`, ...(problem !== undefined && { problem }) };
  }
}
