import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../../src/engine/random";
import { previousOf } from "../../src/files/generations";
import type { Installation } from "./installation";
import { moco } from "./process";
import type { Row, Trial } from "./row";
import { compare, detectorTraining, pretraining, problemOf, reset, resultOf, undisturbed, type Work } from "./works";

/** Ways in which a file is damaged. */
const damages: Readonly<Record<string, (path: string, random: Random) => void>> = {
  "cut short": (path, random) => truncateSync(path, random.integer(readFileSync(path).length)),
  emptied: (path) => truncateSync(path, 0),
  "a bit flipped in its first kilobyte": (path, random) => flip(path, random, 0, 1000),
  "a bit flipped in its last half": (path, random) => flip(path, random, readFileSync(path).length >> 1),
  "no JSON": (path) => writeFileSync(path, "{oops"),
};

/** One line of warning that names the file. */
const warned = (name: string) => new RegExp(`^[^\\n]*${name.replace(/\W/g, "\\$&")}[^\\n]*\\n$`);

export const damageRows: readonly Row[] = [
  {
    id: "damage-pretrain",
    fault: "checkpoint or manifest of a finished pre-training: cut, emptied, a bit flipped in header or data, no JSON",
    promise:
      "recognized by name, in one line of warning; the checkpoint before is gone on from, the manifest is written again; the same bits",
    times: { full: 20, short: 1 },
    run: (kit, random, times) =>
      damaged(kit, pretraining(kit, "damage"), ["checkpoint.safetensors", "manifest.json"], random, times),
  },
  {
    id: "damage-detect",
    fault: "run.json, detections or checkpoint of a finished detector: the same",
    promise: "recognized by name, in one line of warning; evaluated again from the checkpoint; the same numbers",
    times: { full: 15, short: 0 },
    run: (kit, random, times) =>
      damaged(
        kit,
        detectorTraining(kit, "damage-detect"),
        ["run.json", "predictions.json", "detector.safetensors"],
        random,
        times,
      ),
  },
  {
    id: "damage-both",
    fault: "both generations of a checkpoint damaged",
    promise: "one line of warning names both; training starts anew, to the same bits",
    times: { full: 4, short: 1 },
    run: async function* (kit, random, times) {
      const work = pretraining(kit, "both");
      const expected = await undisturbed(kit, work);
      const path = join(work.folder, "checkpoint.safetensors");
      const names = Object.keys(damages).slice(0, 4);
      for (let trial = 0; trial < times; trial++) {
        const name = names[trial % names.length]!;
        for (const file of [path, previousOf(path)]) damages[name]!(file, random);
        const ended = await moco(kit, work.words);
        const problem =
          problemOf(ended) ??
          (/^[^\n]*previous[^\n]*starting anew\.\n$/.test(ended.stderr) ? undefined : `said: ${ended.stderr}`) ??
          compare(resultOf(work, ended), expected);
        yield { what: name, ...(problem !== undefined && { problem }) };
      }
    },
  },
  {
    id: "damage-evaluate",
    fault: "`moco knn` and `moco linear` of a checkpoint with one flipped bit",
    promise: "exit code 2, the file is named, no number is printed",
    times: { full: 6, short: 1 },
    run: async function* (kit, random, times) {
      const work = pretraining(kit, "evaluate");
      await undisturbed(kit, work);
      const path = join(work.folder, "checkpoint.safetensors");
      const whole = readFileSync(path);
      for (let trial = 0; trial < times; trial++) {
        const command = ["knn", "linear"][trial % 2]!;
        writeFileSync(path, whole);
        flip(path, random, 0);
        const { code, stdout, stderr } = await moco(kit, [command, work.folder, "--part", "validation"]);
        const asPromised = code === 2 && stdout === "" && stderr.includes(path);
        yield { what: command, ...(!asPromised && { problem: `exit code ${code}: ${stdout}${stderr}` }) };
      }
    },
  },
];

/** Damages a file of a finished work in every way, and runs the same command again. */
async function* damaged(
  kit: Installation,
  work: Work,
  files: readonly string[],
  random: Random,
  times: number,
): AsyncGenerator<Trial, void, void> {
  const expected = await undisturbed(kit, work);
  const whole = `${work.folder}.whole`;
  cpSync(work.folder, whole, { recursive: true });
  const cases = Object.keys(damages).flatMap((name) => files.map((file) => ({ name, file })));
  for (let trial = 0; trial < times; trial++) {
    const { name, file } = cases[trial % cases.length]!;
    reset(work);
    cpSync(whole, work.folder, { recursive: true });
    const path = join(work.folder, file);
    damages[name]!(path, random);
    // A finished detector is looked up, without its checkpoint.
    if (file.endsWith(".safetensors")) rmSync(join(work.folder, "run.json"), { force: true });
    const ended = await moco(kit, work.words);
    const problem = problemOf(ended) ?? saidProblem(ended.stderr, file) ?? compare(resultOf(work, ended), expected);
    yield { what: `${file} ${name}`, ...(problem !== undefined && { problem }) };
  }
  reset({ ...work, folder: whole });
}

function saidProblem(stderr: string, file: string): string | undefined {
  return warned(file).test(stderr) ? undefined : `said: ${stderr.trim() || "nothing"}`;
}

function flip(path: string, random: Random, from: number, to?: number): void {
  const bytes = readFileSync(path);
  const end = Math.min(to ?? bytes.length, bytes.length);
  bytes[from + random.integer(end - from)]! ^= 1 << random.integer(8);
  writeFileSync(path, bytes);
}
