import { Command } from "commander";
import { integerFrom } from "./numbers";

/** What `moco verify` is given. */
export interface VerifyFlags {
  readonly quick?: boolean;
  readonly accept?: boolean;
  readonly rerun?: number;
  readonly json?: boolean;
}

/** `moco verify`: whether all that is claimed follows from what is recorded. */
export function verifyCommand(): Command {
  return new Command("verify")
    .description(
      "check every recorded file, and every number of README.md, REPRODUCE.md, the report and the notebooks against them",
    )
    .option("--quick", "leave out what takes minutes: AP from detections, its tables, and notebooks 06 and 07")
    .option("--rerun <count>", "train so many recorded encoders again, drawn at random, and compare", integerFrom(1))
    .option("--accept", "write down the numbers of the documents that are not computed, as they now stand")
    .option("--json", "print JSON")
    .action(async (flags: VerifyFlags) => {
      const { verifyAction } = await import("./verify-action.js");
      process.exitCode = await verifyAction(flags);
    });
}
