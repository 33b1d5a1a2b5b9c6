import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadData, parseDataName } from "../data/load";
import { signedInterval } from "../display/signed";
import { metricNames } from "../experiments/ablation/ablation-result";
import { metricTitles } from "../experiments/ablation/ablation-rows";
import type { Preset } from "../recipes/presets";
import { runCell, type RunCellOptions } from "../runs/run-cell";
import { namesIn } from "../runs/run-name";
import { readRunRecord, type RunRecord } from "../runs/run-record";
import { pairedGroupBootstrap } from "../statistics/intervals";
import { fault, note, type Finding } from "./finding";

/** Recorded encoders of a preset whose data come with the packages: what can be trained again anywhere. */
export function trainableAgain(preset: Preset, root: string): readonly string[] {
  const folder = join(root, preset.name);
  return namesIn(folder, ".json")
    .filter((name) => name.startsWith(`${preset.name}-`) && /-seed\d+$/.test(name))
    .map((name) => join(folder, `${name}.json`))
    .filter((path) => {
      const run = readRunRecord(path);
      return run?.manifest.recipe.dataset === "emoji" && run.evaluation !== undefined;
    });
}

/** Some of them, drawn anew each time. */
export function sample<T>(list: readonly T[], count: number): readonly T[] {
  const rest = [...list];
  return Array.from({ length: Math.min(count, rest.length) }, () => rest.splice(randomInt(rest.length), 1)[0]!);
}

/**
 * Trains a recorded run again, in a temporary folder, and compares. On the same instruction set with as many threads, and by the
 * same versions, the encoder is the same bit for bit. Elsewhere rounding makes it another encoder of the same recipe: each
 * accuracy must then agree within the interval of the difference over groups of test images, 95 % for all measures together
 * (Bonferroni). That is what chance in the test images explains; what another rounding does to a training it does not count.
 *
 * @param where - the run's file, for messages
 */
export async function trainAgain(
  where: string,
  recorded: RunRecord,
  preset: Preset,
  options: Pick<RunCellOptions, "onProgress" | "stopRequested"> = {},
): Promise<Finding[]> {
  const { recipe, seed, data: of, encoder } = recorded.manifest;
  const data = await loadData(parseDataName(recipe.dataset), { size: recipe.imageSize });
  if (data.checksum !== of.checksum) {
    return [
      fault(where, `it was trained on other images: their checksum is ${of.checksum}, here it is ${data.checksum}`),
    ];
  }
  const root = mkdtempSync(join(tmpdir(), "moco-rerun-"));
  try {
    const again = await runCell(recipe, seed, data, preset, { ...options, root });
    if (again.manifest.encoder === encoder) return [note(where, "trained again: the same encoder, bit for bit")];
    return compareRuns(where, recorded, again);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Compares two trainings of one recipe and seed whose encoders differ. */
export function compareRuns(where: string, recorded: RunRecord, again: RunRecord): Finding[] {
  const made = `recorded on ${madeBy(recorded)}; here ${madeBy(again)}`;
  if (again.evaluation === undefined) return [fault(where, `trained again, it diverged: ${again.diverged}`)];
  const told = metricNames.flatMap((metric) => {
    const [before, now] = [recorded.evaluation?.[metric], again.evaluation?.[metric]];
    if (before === undefined || now === undefined) return [];
    const { difference, low, high } = pairedGroupBootstrap(now.correct, before.correct, before.groups, {
      seed: 0,
      level: 1 - 0.05 / metricNames.length,
    });
    return [
      {
        apart: low > 0 || high < 0,
        text: `${metricTitles[metric]} ${signedInterval(difference, { low, high }, { scale: 100 })}`,
      },
    ];
  });
  const list = told.map(({ text }) => text).join(", ");
  return told.some(({ apart }) => apart)
    ? [fault(where, `trained again, it differs by more than chance (points): ${list}; ${made}`)]
    : [note(where, `trained again: another encoder, by the bits, of the same accuracy (points): ${list}; ${made}`)];
}

/** What the bits of a training depend on besides its recipe: a processor's name alone does not tell its instruction set. */
function madeBy({ manifest: { machine, versions, git } }: RunRecord): string {
  const { cpu, cores, device, setting } = machine;
  const threads =
    setting &&
    `, ${setting.threads} threads an operation${setting.ownThreads ? ", a share of them for small ones" : ""}`;
  return `${device} (${cpu}, ${cores} cores${threads ?? ""}) by TensorFlow ${versions.tensorflow}, commit ${git?.commit.slice(0, 7) ?? "unknown"}`;
}
