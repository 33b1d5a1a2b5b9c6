import { loadData, parseDataName } from "../data/load";
import { stopRequested } from "../display/kernel";
import { classifyPaperCell, paperData, pretrainPaperCell } from "../experiments/paper-scale/paper-cell";
import { backbonesOf } from "../experiments/ablation/ablation";
import { presetNamed, type Preset } from "../recipes/presets";
import type { PlannedCell } from "../report/planned-cells";
import { ablations } from "../report/ablations";
import { baselines } from "../runs/baselines";
import { pretrainCell, runCell, runDirectory } from "../runs/run-cell";
import type { RunFlags } from "./cells";
import { describeLinearProgress, describeProgress, progressBar } from "./progress-bar";

/** What `moco cells run` does. A module of its own, since it loads TensorFlow. Progress goes to stderr, the outcome to stdout. */
export async function runCellAction({ id, recipe, seed }: PlannedCell, flags: RunFlags): Promise<void> {
  // Listens from here on: a signal that comes before the first step stops after it.
  stopRequested();
  const preset = presetNamed(flags.preset);
  const data = await loadData(parseDataName(recipe.dataset), { size: recipe.imageSize });
  const { checkpointSeconds } = flags;
  await telling(describeProgress, async (onProgress) => {
    const options = { stopRequested, checkpointSeconds, onProgress };
    if (flags.pretrainOnly) {
      const run = await pretrainCell(recipe, seed, data, preset, options);
      console.log(JSON.stringify({ cell: id, run }, null, 2));
      return;
    }
    const { manifest, evaluation, diverged } = await runCell(recipe, seed, data, preset, options);
    const run = runDirectory(recipe, data, seed);
    const knn = evaluation?.knn.accuracy;
    console.log(JSON.stringify({ cell: id, run, encoder: manifest.encoder, knn, diverged }, null, 2));
  });
}

/** The same with --preset paper: by the paper's recipe, and by its protocol of linear evaluation. */
export async function runPaperCellAction({ id, recipe, rows }: PlannedCell, flags: RunFlags): Promise<void> {
  stopRequested();
  const data = await paperData(recipe);
  const options = { stopRequested, checkpointSeconds: flags.checkpointSeconds };
  const pretrained = await telling(describeProgress, (onProgress) =>
    pretrainPaperCell(recipe, data, { ...options, onProgress }),
  );
  const { directory: run, manifest } = pretrained;
  // null where the training diverged
  const { encoder } = manifest;
  if (flags.pretrainOnly) {
    console.log(JSON.stringify({ cell: id, run, encoder }, null, 2));
    return;
  }
  const label = rows[0]!.label;
  const linear = await telling(describeLinearProgress, (onProgress) =>
    classifyPaperCell({ label, recipe }, data, pretrained, { ...options, onProgress }),
  );
  const { topOne, topFive } = linear ?? {};
  console.log(JSON.stringify({ cell: id, run, encoder, topOne: topOne?.mean, topFive }, null, 2));
}

/** What `moco cells baselines` does. */
export async function baselinesAction(preset: Preset): Promise<void> {
  const { dataset, imageSize } = preset.base;
  const data = await loadData(parseDataName(dataset), { size: imageSize });
  const cells = Object.values(ablations).flatMap((table) => table(preset, [])?.cells ?? []);
  const { randomNetworks } = baselines(data, preset, backbonesOf(cells));
  const networks = randomNetworks.reduce((count, { evaluations }) => count + evaluations.length, 0);
  console.log(JSON.stringify({ data: data.checksum, randomNetworks: networks, pixels: true }, null, 2));
}

/** Tells on stderr how a training goes, and first after which step it goes on. */
async function telling<T extends { readonly step: number; readonly totalSteps: number }, Outcome>(
  describe: (progress: T) => string,
  train: (onProgress: (progress: T) => void) => Promise<Outcome>,
): Promise<Outcome> {
  const bar = progressBar(process.stderr, describe);
  let first = true;
  try {
    return await train((progress) => {
      if (first && progress.step > 1) process.stderr.write(`Going on after step ${progress.step - 1}.\n`);
      first = false;
      bar.show(progress);
    });
  } finally {
    bar.stop();
  }
}
