import { Command, Option } from "commander";
import { dataRootVariable } from "../data/load";
import { presetNamed } from "../recipes/presets";
import { integerFrom, positiveNumber } from "./numbers";

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

/** `moco linear`: what a linear classifier reads off a checkpoint's features. */
export function linearCommand(): Command {
  return evaluateCommand("linear")
    .description("evaluate a checkpoint by the paper's linear probe and by logistic regression")
    .action(async (checkpoint: string, flags: EvaluateFlags) => {
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
    .option("--size <pixels>", "side of an image in pixels (default: the recipe's, else 32)", integerFrom(1))
    .addOption(
      new Option("--part <part>", "what is classified: choose settings on validation, report test")
        .choices(["validation", "test"])
        .default("test"),
    )
    .option(
      "--data-root <folder>",
      `folder in which data sets lie (else ${dataRootVariable}, else ./data of the project)`,
    )
    .option("--json", "print JSON");
}
