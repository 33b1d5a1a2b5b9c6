import { Command, Option } from "commander";
import { presetNames } from "../recipes/presets";

/** What `moco report` is given. */
export interface ReportFlags {
  readonly preset?: (typeof presetNames)[number];
  readonly write?: boolean;
  readonly output?: string;
}

/** `moco report`: everything that is recorded, as documents. */
export function reportCommand(): Command {
  return new Command("report")
    .description(
      "put all that is recorded together, as one page that works offline and as Markdown, LaTeX and CSV; nothing is trained",
    )
    .addOption(new Option("--preset <name>", "of the runs of one preset alone").choices(presetNames))
    .option(
      "--output <folder>",
      "where the page and the tables go (default: runs/report, of one preset runs/report-PRESET)",
    )
    .option("--write", "instead, write the computed tables of README.md and REPRODUCE.md anew, and their figure")
    .action(async (flags: ReportFlags) => {
      const { reportAction } = await import("./report-action.js");
      await reportAction(flags);
    });
}
