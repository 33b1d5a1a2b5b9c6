import { Command, Option } from "commander";
import { presetNames } from "../recipes/presets";

/** What `moco report` is given. */
export interface ReportFlags {
  readonly preset: (typeof presetNames)[number];
  readonly write?: boolean;
}

/** `moco report`: everything that is recorded, as documents. */
export function reportCommand(): Command {
  return new Command("report")
    .description("put all that is recorded together; nothing is trained")
    .addOption(new Option("--preset <name>", "size of the runs").choices(presetNames).default("quick"))
    .option("--write", "write the computed tables of README.md and REPRODUCE.md anew, and their figure")
    .action(async (flags: ReportFlags) => {
      const { reportAction } = await import("./report-action.js");
      await reportAction(flags);
    });
}
