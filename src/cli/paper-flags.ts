import { existsSync } from "node:fs";
import { Option } from "commander";
import { dataFolder, parseDataName } from "../data/load";
import { InputError } from "../errors";
import { paperPreset } from "../experiments/paper-scale/paper-ablation";
import { mocoV1Recipe } from "../recipes/paper-recipes";
import { presetNames } from "../recipes/presets";

/** The flag that names a preset of the kit, or the paper's own rows. */
export function presetOption(): Option {
  return new Option("--preset <name>", `size of the runs; ${paperPreset}: the paper's own rows, by its own recipes`)
    .choices([...presetNames, paperPreset])
    .default("quick");
}

/** The flag that says where ImageNet is. */
export function paperDataOption(): Option {
  return new Option("--data <name>", `with --preset ${paperPreset}: where ImageNet is (default: folder:imagenet)`);
}

/**
 * The presets of the kit have their own data sets.
 *
 * @throws InputError if a data set is given with one of them
 */
export function assertPaperData({
  preset,
  data,
}: {
  readonly preset?: string | undefined;
  readonly data?: string | undefined;
}): void {
  if (data !== undefined && preset !== paperPreset) {
    throw new InputError(`Cannot use --data: it belongs to --preset ${paperPreset}`);
  }
}

/**
 * Looks for ImageNet before anything is trained on it, without reading it.
 *
 * @throws InputError if its folder is not there
 */
export function assertPaperFolder(data: string = mocoV1Recipe.dataset): void {
  const name = parseDataName(data);
  if (name === "emoji") return;
  const folder = dataFolder(name);
  if (existsSync(folder)) return;
  throw new InputError(
    `Cannot train the paper's own rows: there is no folder ${folder}; say by --data where ImageNet is, or show by --recorded ` +
      "what is trained so far",
  );
}
