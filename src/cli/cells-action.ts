import { loadData, parseDataName } from "../data/load";
import { stopRequested } from "../display/kernel";
import { presetNamed, type Preset } from "../recipes/presets";
import type { PlannedCell } from "../report/planned-cells";
import { baselines } from "../runs/baselines";
import { pretrainCell, runCell, runDirectory } from "../runs/run-cell";
import type { RunFlags } from "./cells";
import { describeProgress, progressBar } from "./progress-bar";

/** What `moco cells run` does. A module of its own, since it loads TensorFlow. Progress goes to stderr, the outcome to stdout. */
export async function runCellAction({ id, recipe, seed }: PlannedCell, flags: RunFlags): Promise<void> {
  // Listens from here on: a signal that comes before the first step stops after it.
  stopRequested();
  const preset = presetNamed(flags.preset);
  const data = await loadData(parseDataName(recipe.dataset), { size: recipe.imageSize });
  const bar = progressBar(process.stderr, describeProgress);
  let first: number | undefined;
  const options = {
    stopRequested,
    checkpointSeconds: flags.checkpointSeconds,
    onProgress: (progress: Parameters<typeof bar.show>[0]) => {
      if (first === undefined && progress.step > 1) process.stderr.write(`Going on after step ${progress.step - 1}.\n`);
      first ??= progress.step;
      bar.show(progress);
    },
  };
  try {
    if (flags.pretrainOnly) {
      const run = await pretrainCell(recipe, seed, data, preset, options);
      console.log(JSON.stringify({ cell: id, run }, null, 2));
      return;
    }
    const { manifest, evaluation, diverged } = await runCell(recipe, seed, data, preset, options);
    const run = runDirectory(recipe, data, seed);
    const knn = evaluation?.knn.accuracy;
    console.log(JSON.stringify({ cell: id, run, encoder: manifest.encoder, knn, diverged }, null, 2));
  } finally {
    bar.stop();
  }
}

/** What `moco cells baselines` does. */
export async function baselinesAction(preset: Preset): Promise<void> {
  const { dataset, imageSize } = preset.base;
  const data = await loadData(parseDataName(dataset), { size: imageSize });
  const { randomNetworks } = baselines(data, preset);
  console.log(JSON.stringify({ data: data.checksum, randomNetworks: randomNetworks.length, pixels: true }, null, 2));
}
