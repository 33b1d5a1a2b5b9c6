import { join } from "node:path";
import type { Installation } from "./installation";
import { moco, shell, type Ended, type ProcessOptions } from "./process";
import type { Row, Trial } from "./row";
import { compare, pretraining, problemOf, reset, resultOf, undisturbed, type Undisturbed, type Work } from "./works";

/** Where a program is started, and what it must do there. */
interface Surrounding {
  readonly name: string;
  /** A shell's script; "$MOCO" "$@" is the command, "$FOLDER" the folder of the run. */
  readonly script: string;
  readonly env?: ProcessOptions["env"];
  /** What it says when it refuses, with exit code 2; without, it works as anywhere. */
  readonly refuses?: RegExp;
  /** Whether it needs the right to mount file systems. */
  readonly mounts?: boolean;
}

const run = 'exec "$MOCO" "$@"';

/** On a terminal of 40 columns. */
const terminal = `exec script --quiet --return --command '
  stty cols 40; "$MOCO" pretrain --preset smoke --output "$FOLDER" --checkpoint-seconds 0.01' /dev/null`;

const surroundings: readonly Surrounding[] = [
  {
    name: "a folder that can only be read",
    script: `mkdir "$FOLDER" && mount -t tmpfs -o ro none "$FOLDER" || exit 77; ${run}`,
    mounts: true,
    refuses: /^Cannot write the run in .*: its file system can only be read \(EROFS\)\. Choose another folder/m,
  },
  {
    name: "the folder of runs on a file system that can only be read",
    script: `mkdir "$FOLDER" && mount -t tmpfs -o ro none "$FOLDER" || exit 77
      exec "$MOCO" pretrain --preset smoke --output "$FOLDER/deep/er"`,
    mounts: true,
    refuses: /^Cannot write the run in .*: its file system can only be read \(EROFS\)/m,
  },
  {
    name: "no folder for temporary files",
    script: run,
    env: { TMPDIR: "/proc/nowhere" },
    refuses: /^Cannot write \/proc\/nowhere\/moco-kit-graph.*: its folder does not exist \(ENOENT\).*TMPDIR/m,
  },
  {
    name: "a full folder for temporary files",
    script: `mkdir "$FOLDER.tmp"; mount -t tmpfs -o size=4k none "$FOLDER.tmp" || exit 77
      TMPDIR="$FOLDER.tmp" ${run}`.replace("exec ", ""),
    mounts: true,
    refuses: /^Cannot write .*moco-kit-graph.*: the disk is full \(ENOSPC\); it needs \d+ bytes.*TMPDIR/m,
  },
  {
    name: "no /dev/shm",
    script: `mount -t tmpfs -o ro,mode=000 none /dev/shm || exit 77; ${run}`,
    mounts: true,
  },
  { name: "64 open files (ulimit -n)", script: `ulimit -n 64; ${run}` },
  { name: "no HOME", script: run, env: { HOME: undefined } },
  { name: "a HOME that is not there", script: run, env: { HOME: "/proc/nowhere" } },
  { name: "a closed stdin", script: `${run} <&-` },
  { name: "a closed stdout", script: `${run} >&-` },
  { name: "a closed stderr", script: `${run} 2>&-` },
  { name: "TERM=dumb, 40 columns", script: terminal, env: { TERM: "dumb" } },
  { name: "a terminal of 40 columns", script: terminal, env: { TERM: "xterm" } },
  { name: "no TERM, the C locale", script: run, env: { TERM: undefined, LC_ALL: "C", LANG: "C" } },
];

export const surroundingRows: readonly Row[] = [
  {
    id: "surroundings",
    fault: surroundings.map(({ name }) => name).join("; "),
    promise: "works as anywhere, or exit code 2 with what cannot be written and what to do; never a stack or a hang",
    times: { full: surroundings.length, short: 3 },
    run: async function* (kit, _random, times) {
      const work = pretraining(kit, `o' clock "x" ü 中`);
      const expected = await undisturbed(kit, work);
      // Those that refuse first: they are over before they train.
      const inTurn = [...surroundings].sort((one, other) => Number(!one.refuses) - Number(!other.refuses));
      for (const surrounding of inTurn.slice(0, times)) {
        const problem = await tried(kit, work, expected, surrounding);
        if (problem !== unavailable) yield trialOf(surrounding.name, problem);
      }
    },
  },
  {
    id: "reader-gone",
    fault: "the reader of stdout, or of stderr, goes away while it trains (`| head -1`)",
    promise:
      "stops as by Ctrl-C with a checkpoint, says how to go on where it still can, exit code 130; goes on to the same bits",
    times: { full: 4, short: 1 },
    run: async function* (kit, _random, times) {
      const work = pretraining(kit, "head");
      const expected = await undisturbed(kit, work);
      // No checkpoint but that of the stop.
      const { words } = pretraining(kit, "head", 1000);
      for (let trial = 0; trial < times; trial++) {
        reset(work);
        const [pipe, flags] = [
          ["2>&1 >&3 | cat >&2; } 3>&1 | head -1", ""],
          ["2>&1 >/dev/null | head -1; }", "--json"],
        ][trial % 2]!;
        const script = `{ { "$MOCO" "$@" ${flags}; echo "code $?" > "$FOLDER.code"; } ${pipe}; cat "$FOLDER.code"`;
        const { stdout } = await shell(kit, script, words, { env: { FOLDER: work.folder } });
        const again = await moco(kit, work.words);
        const problem =
          (/code 130$/m.test(stdout) ? undefined : `ended with ${stdout.trim()}`) ??
          problemOf(again) ??
          (/^Going on after step \d+ of 35/m.test(again.stdout)
            ? undefined
            : "there was no checkpoint to go on from") ??
          compare(resultOf(work, again), expected);
        yield trialOf(trial % 2 === 0 ? "stdout" : "stderr", problem);
      }
    },
  },
  {
    id: "notebook-surroundings",
    fault: "a notebook without HOME, with 256 open files, and where the executed notebook cannot be written",
    promise: "works as anywhere, or one line that says what could not be written; what was trained is kept",
    times: { full: 4, short: 0 },
    run: async function* (kit, _random, times) {
      const work: Work = { words: ["notebook", "04", "--preset", "smoke"], folder: kit.runs };
      const expected = await undisturbed(kit, work);
      const output = join(kit.scratch, "executed");
      const cases: readonly Surrounding[] = [
        {
          name: "no room for the executed notebook",
          script: `mkdir "$OUTPUT"; mount -t tmpfs -o size=4k none "$OUTPUT" || exit 77; ${run} --output "$OUTPUT/04.ipynb"`,
          env: { OUTPUT: output },
          mounts: true,
        },
        { name: "no HOME", script: run, env: { HOME: undefined } },
        { name: "a HOME that is not there", script: run, env: { HOME: "/proc/nowhere" } },
        { name: "256 open files", script: `ulimit -n 256; ${run}` },
      ];
      for (const one of cases.slice(0, times)) {
        if (one.mounts) {
          const ended = await started(kit, work, one);
          if (ended.code === 77) continue;
          const asSaid = ended.code === 1 && /^Cannot write the executed notebook .*space.*kept/m.test(ended.stderr);
          yield trialOf(one.name, asSaid ? undefined : `exit code ${ended.code}: ${ended.stderr.trim()}`);
        } else yield trialOf(one.name, await tried(kit, work, expected, one));
      }
    },
  },
];

const unavailable = Symbol("the machine does not allow it");

async function tried(
  kit: Installation,
  work: Work,
  expected: Undisturbed,
  surrounding: Surrounding,
): Promise<string | undefined | typeof unavailable> {
  reset(work);
  const ended = await started(kit, work, surrounding);
  if (surrounding.mounts && ended.code === 77) return unavailable;
  if (!surrounding.refuses) return problemOf(ended) ?? compare(resultOf(work, ended), expected);
  const asSaid = ended.code === 2 && surrounding.refuses.test(ended.stderr);
  return asSaid ? undefined : `exit code ${ended.code}: ${ended.stderr.trim()}`;
}

/** Mounts are seen by this process alone, and go with it. */
function started(kit: Installation, work: Work, { script, env, mounts }: Surrounding): Promise<Ended> {
  const variables = { FOLDER: work.folder, SCRIPT: script, ...env };
  const own = `unshare --mount --map-root-user true || exit 77; exec unshare --mount --map-root-user sh -c "$SCRIPT" sh "$@"`;
  return shell(kit, mounts ? own : script, work.words, { env: variables });
}

function trialOf(what: string, problem: string | undefined | symbol): Trial {
  return typeof problem === "string" ? { what, problem } : { what };
}
