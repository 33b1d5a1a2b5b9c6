import { Command, Option } from "commander";
import { InputError } from "../errors";
import { presetNamed } from "../recipes/presets";
import { dataRootOption } from "./data-root";
import { integerFrom, positiveNumber } from "./numbers";
import { parseSetting, type Setting } from "./recipe-flags";

/** Flags that `moco linear` and `moco knn` share. */
export interface EvaluateFlags {
  readonly dataRoot?: string;
  /** Data set and side of its images, where they are not the recipe's or there is no recipe. */
  readonly data?: string;
  readonly size?: number;
  /** The part that is classified. */
  readonly part: "validation" | "test";
  readonly json?: boolean;
}

/** The flags of `moco linear`. Those of the training belong to the paper's protocol alone. */
export interface LinearFlags extends EvaluateFlags {
  readonly protocol: "fast" | "paper";
  readonly seed?: number;
  readonly output?: string;
  readonly checkpointSeconds?: number;
  readonly fresh?: boolean;
}

/** `moco linear`: what a linear classifier reads off a checkpoint's features. */
export function linearCommand(): Command {
  const settings: Setting[] = [];
  return evaluateCommand("linear")
    .description(
      "evaluate a checkpoint by a linear classifier: fast, on cached features of unaugmented images, with logistic regression " +
        "beside it; or by the paper's own protocol, on random crops and flips, with SGD at rate 30 for 100 epochs",
    )
    .addOption(
      new Option("--protocol <name>", "which of the two; paper goes on from its checkpoint")
        .choices(["fast", "paper"])
        .default("fast"),
    )
    .option("--set <field=value>", "paper: any value of its recipe, as epochs=10; can be repeated", (text) => {
      settings.push(parseSetting(text));
      return text;
    })
    .option("--seed <integer>", "paper: seed of first weights, order and crops (default: 1)", integerFrom(0))
    .option("--output <folder>", "paper: folder of the run (default: in runs, by recipe, network, data and seed)")
    .option("--checkpoint-seconds <seconds>", "paper: time between checkpoints (default: 30)", positiveNumber)
    .option("--fresh", "paper: train from the start, also where there is a checkpoint")
    .action(async (checkpoint: string, flags: LinearFlags) => {
      if (flags.protocol === "paper") {
        const { linearAction } = await import("./linear-action.js");
        return linearAction(checkpoint, flags, settings);
      }
      const { seed, output, checkpointSeconds, fresh } = flags;
      const given = Object.entries({
        "--set": settings[0],
        "--seed": seed,
        "--output": output,
        "--checkpoint-seconds": checkpointSeconds,
        "--fresh": fresh,
      }).find(([, value]) => value !== undefined);
      if (given) throw new InputError(`Cannot use ${given[0]} with --protocol fast: add --protocol paper`);
      const { evaluateLinear } = await import("./evaluate-action.js");
      await evaluateLinear(checkpoint, flags);
    });
}

/** `moco knn`: what a checkpoint's features are worth without training anything. */
export function knnCommand(): Command {
  const { k, temperature } = presetNamed("quick").knn;
  return evaluateCommand("knn")
    .description("evaluate a checkpoint by weighted kNN")
    .option("--k <count>", "neighbors that vote", integerFrom(1), k)
    .option("--temperature <T>", "T of the vote's weight exp(similarity / T)", positiveNumber, temperature)
    .action(async (checkpoint: string, flags: EvaluateFlags & { readonly k: number; readonly temperature: number }) => {
      const { evaluateKnn } = await import("./evaluate-action.js");
      await evaluateKnn(checkpoint, flags);
    });
}

function evaluateCommand(name: string): Command {
  return new Command(name)
    .argument(
      "<checkpoint>",
      "the file, or the folder of its run; also weights of PyTorch or detectron2, see moco convert",
    )
    .option("--data <name>", "data set: emoji, cifar10 or folder:PATH (default: the recipe's)")
    .option(
      "--size <pixels>",
      "side of an image in pixels (default: the recipe's, else 224 for a folder and a network with the ImageNet stem, else 32)",
      integerFrom(1),
    )
    .addOption(
      new Option("--part <part>", "what is classified: choose settings on validation, report test")
        .choices(["validation", "test"])
        .default("test"),
    )
    .addOption(dataRootOption())
    .option("--json", "print JSON");
}
