import { Option } from "commander";
import { InputError } from "../errors";
import { paperPreset } from "../experiments/paper-scale/paper-ablation";
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
