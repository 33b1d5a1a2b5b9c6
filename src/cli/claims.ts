import { Command, Option } from "commander";
import { presetNames } from "../recipes/presets";

/** What `moco claims` is given. */
export interface ClaimsFlags {
  readonly preset?: (typeof presetNames)[number];
  readonly own?: boolean;
  readonly register?: boolean;
  readonly json?: boolean;
}

/** `moco claims`: prints every claim with what the recorded runs say of it. Trains nothing. */
export function claimsCommand(): Command {
  return new Command("claims")
    .description("print the claims made by the paper and of it, each with its verdict; nothing is trained")
    .addOption(
      new Option(
        "--preset <name>",
        "by the runs of one preset alone; with --own and --register quick by default",
      ).choices(presetNames),
    )
    .option("--own", "your own runs in runs, instead of those recorded in results")
    .option("--register", "write the claims down in results, to be committed before the runs that they judge")
    .option("--json", "print JSON")
    .action(async (flags: ClaimsFlags) => {
      const { claimsAction } = await import("./claims-action.js");
      claimsAction(flags);
    });
}
