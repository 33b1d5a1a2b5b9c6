import { Command, InvalidArgumentError } from "commander";

/** The flags of `moco estimate`, as Commander hands them over. */
export interface EstimateFlags {
  readonly measure?: boolean;
  readonly batches?: readonly number[] | "full";
  readonly json?: boolean;
}

/** `moco estimate`: what the paper's trainings amount to, and what they would cost on this machine. */
export function estimateCommand(): Command {
  return new Command("estimate")
    .description(
      "print what the paper's trainings amount to: images, batch, iterations, parameters; with --measure, also time and memory on " +
        "this machine, from real steps on random images. No data set is needed",
    )
    .argument("[recipe...]", "which ones, by their names in the table (default: all)")
    .option(
      "--measure",
      "take a few steps of each recipe, minutes for all on a machine that is idle, and estimate the whole",
    )
    .option(
      "--batches <sizes>",
      "with --measure: one or two batches to extrapolate from, as 32,64, or full, the recipe's own (default: 8,16; detectors 1)",
      batches,
    )
    .option("--json", "print JSON; progress goes to stderr")
    .action(async (names: readonly string[], flags: EstimateFlags) => {
      const { estimateAction } = await import("./estimate-action.js");
      await estimateAction(names, flags);
    });
}

/** Reads "8,16" or "full". */
function batches(text: string): NonNullable<EstimateFlags["batches"]> {
  if (text === "full") return text;
  const sizes = text.split(",").map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : 0));
  if (sizes.length > 2 || !sizes.every((size, at) => Number.isSafeInteger(size) && size > (sizes[at - 1] ?? 0))) {
    throw new InvalidArgumentError("It must be one or two positive integers in ascending order, as 8,16, or full.");
  }
  return sizes;
}
