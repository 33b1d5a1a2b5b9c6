import { Command, Option } from "commander";
import { integerFrom, positiveNumber } from "./numbers";
import { parseSetting, type Setting } from "./recipe-flags";

/** The flags of `moco detect`, as Commander hands them over. */
export interface DetectFlags {
  readonly dataset?: "voc" | "coco" | "scenes";
  readonly root?: string;
  readonly arch?: "c4" | "dc5" | "fpn";
  readonly masks?: boolean;
  readonly init: string;
  readonly preset: string;
  readonly seed: number;
  readonly validations: number;
  readonly output?: string;
  readonly checkpointSeconds: number;
  readonly fresh?: boolean;
  /** Steps after which it stops, of the whole schedule. */
  readonly steps?: number;
  readonly record?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `moco detect`: trains a detector from an initialization, or goes on with it, and evaluates it. */
export function detectCommand(): Command {
  const settings: Setting[] = [];
  return new Command("detect")
    .description(
      "train a detector on top of a pre-trained or random encoder and evaluate it on the test part; the same command goes " +
        "on from the last checkpoint",
    )
    .addOption(
      new Option("--dataset <name>", "format of the data set (default: the preset's)").choices([
        "voc",
        "coco",
        "scenes",
      ] satisfies NonNullable<DetectFlags["dataset"]>[]),
    )
    .option("--root <folder>", "folder of the data set; scenes need none")
    .addOption(
      new Option(
        "--arch <name>",
        "detector: Faster R-CNN with the C4 or dilated-C5 backbone, or with FPN (default: the preset's)",
      ).choices(["c4", "dc5", "fpn"] satisfies NonNullable<DetectFlags["arch"]>[]),
    )
    .option("--masks", "predict masks too, with C4 or FPN (default: the preset's)")
    .option(
      "--init <name>",
      "random; supervised, the kit's own training; or a file of weights or the folder of a run",
      "random",
    )
    .option(
      "--preset <name>",
      "recipe to start from: smoke, quick, quick-fpn, bccd, nuclei, or one of the paper's",
      "quick",
    )
    .option("--set <field=value>", "any value of the recipe, as schedule.iterations=500; can be repeated", (text) => {
      settings.push(parseSetting(text));
      return text;
    })
    .option("--seed <integer>", "seed of every random choice", integerFrom(0), 1)
    .option(
      "--validations <count>",
      "how often AP50 on the validation part is read over the training",
      integerFrom(0),
      0,
    )
    .option("--output <folder>", "folder of the run (default: in runs, by recipe, initialization and seed)")
    .option("--checkpoint-seconds <seconds>", "time between checkpoints", positiveNumber, 30)
    .option("--fresh", "train from the start, also where there is a checkpoint")
    .option(
      "--steps <count>",
      "stop once so many steps of the whole schedule are taken, with a checkpoint, and evaluate nothing; says time and memory",
      integerFrom(1),
    )
    .option("--record", "with --steps: write the first steps to results")
    .option("--dry-run", "say how much memory, disk and time it takes, from steps that are measured; train nothing")
    .option("--json", "print the outcome as JSON; progress goes to stderr")
    .action(async (flags: DetectFlags) => {
      const { detectAction } = await import("./detect-action.js");
      await detectAction(flags, settings);
    });
}
