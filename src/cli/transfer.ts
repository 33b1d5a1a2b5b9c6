import { Command, Option } from "commander";
import type { TransferName } from "../experiments/transfer/transfer";
import { integerFrom } from "./numbers";

/** The flags of `moco transfer`, as Commander hands them over. */
export interface TransferFlags {
  readonly preset: TransferName;
  readonly root?: string;
  readonly rows: "initializations" | "all";
  readonly seeds: number;
  readonly recorded?: boolean;
  readonly record?: boolean;
  readonly json?: boolean;
}

/** `moco transfer`: detectors from several initializations on the same data, and how they differ. */
export function transferCommand(): Command {
  return new Command("transfer")
    .description(
      "train detectors from several initializations by one recipe and print how they differ (Tables 2 to 5); what was trained " +
        "before is not trained again",
    )
    .addOption(
      new Option(
        "--preset <name>",
        "composed scenes (smoke, quick, small), with masks and FPN (smoke-fpn, quick-fpn), or photographs below --root: blood cells (bccd), nuclei with masks (nuclei)",
      )
        .choices(["smoke", "quick", "small", "smoke-fpn", "quick-fpn", "bccd", "nuclei"] satisfies TransferName[])
        .default("quick"),
    )
    .option("--root <folder>", "folder of the data set, where the preset needs one")
    .addOption(
      new Option(
        "--rows <which>",
        "random, supervised and MoCo; or also, where the preset has them, mechanisms, the ablations of K and m, and a control",
      )
        .choices(["initializations", "all"] satisfies TransferFlags["rows"][])
        .default("initializations"),
    )
    .option("--seeds <count>", "seeds for each row; a verdict of moco claims needs 5", integerFrom(1), 1)
    .option("--recorded", "print the runs recorded in results; nothing is trained")
    .option("--record", "copy the finished runs to results, for the repository")
    .option("--json", "print JSON; progress goes to stderr")
    .action(async (flags: TransferFlags) => {
      const { transferAction } = await import("./transfer-action.js");
      await transferAction(flags);
    });
}
