import { Command, Option } from "commander";
import { methodKinds } from "../recipes/method-recipes";
import { presetNames } from "../recipes/presets";
import type { MethodKind } from "../train/recipe";
import { dataRootOption } from "./data-root";
import { integerFrom, positiveNumber } from "./numbers";
import { demoPreset, paperPresets, parseSetting, type Setting } from "./recipe-flags";

/** The flags of `moco pretrain`, as Commander hands them over. */
export interface PretrainFlags {
  readonly preset: string;
  readonly method?: MethodKind;
  readonly recipe?: string;
  readonly seed: number;
  readonly dataRoot?: string;
  readonly output?: string;
  readonly checkpointSeconds: number;
  /** Neighbors of the kNN readings, where they are not the preset's. */
  readonly knnK?: number;
  /** A run, or its checkpoint, to begin with. */
  readonly from?: string;
  readonly fresh?: boolean;
  readonly record?: boolean;
  /** Steps after which it stops, of the whole schedule. */
  readonly steps?: number;
  readonly explain?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Flags for the values of a recipe that are set most often; --set reaches all of them. */
const recipeFlags: readonly (readonly [flag: string, field: string, description: string])[] = [
  ["--data <name>", "dataset", "data set: emoji, cifar10 or folder:PATH"],
  ["--queue-size <K>", "method.queueSize", "keys in MoCo's queue"],
  ["--momentum <m>", "method.momentum", "momentum of MoCo's key encoder, or of the memory bank"],
  ["--temperature <T>", "method.temperature", "temperature of the contrastive loss"],
  ["--batch-size <N>", "batchSize", "images in a batch"],
  ["--learning-rate <rate>", "learningRate", "learning rate at the start"],
  ["--epochs <count>", "epochs", "passes over the training part"],
];

/** `moco pretrain`: trains an encoder by a recipe, or goes on with it. */
export function pretrainCommand(): Command {
  const command = new Command("pretrain")
    .description(
      "pre-train an encoder with MoCo or what it is compared with; the same command goes on from the last checkpoint",
    )
    .addOption(
      new Option("--preset <name>", "recipe to start from, and how often kNN is read")
        .choices([...presetNames, demoPreset, ...paperPresets])
        .default("quick"),
    )
    .addOption(new Option("--method <kind>", "method of the preset's recipe (default: moco)").choices(methodKinds))
    .option("--recipe <file>", "JSON file with a whole recipe, instead of the preset's");
  // All of these set values of the recipe. In their order on the command line: the last one counts.
  const settings: Setting[] = [];
  for (const [flag, field, description] of recipeFlags) {
    command.option(flag, description, (text) => {
      settings.push([field, text]);
      return text;
    });
  }
  return command
    .option("--set <field=value>", "any value of the recipe, as encoder.width=8; can be repeated", (text) => {
      settings.push(parseSetting(text));
      return text;
    })
    .option("--seed <integer>", "seed of every random choice", integerFrom(0), 1)
    .addOption(dataRootOption())
    .option("--output <folder>", "folder of the run (default: in runs, by recipe and seed)")
    .option("--checkpoint-seconds <seconds>", "time between checkpoints", positiveNumber, 30)
    .option("--knn-k <count>", "neighbors of the kNN readings while it trains (default: the preset's)", integerFrom(1))
    .option("--from <run>", "begin with the checkpoint of a run that differs in learning rate or schedule only")
    .option("--fresh", "train from the start, also where there is a checkpoint")
    .option(
      "--record",
      `with preset ${demoPreset} or --steps: write the run, or its first steps, to results, for the comparison with PyTorch`,
    )
    .option(
      "--steps <count>",
      "stop once so many steps of the whole schedule are taken, with a checkpoint; says time and memory",
      integerFrom(1),
    )
    .option("--explain", "print each value of the recipe and its source, and train nothing")
    .option(
      "--dry-run",
      "say what is missing, and how much memory, disk and time it takes, from steps that are measured; train nothing",
    )
    .option("--json", "print the outcome as JSON; progress goes to stderr")
    .action(async (flags: PretrainFlags) => {
      const { pretrainAction } = await import("./pretrain-action.js");
      await pretrainAction(flags, settings);
    });
}
