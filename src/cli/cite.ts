import { Command, Option } from "commander";
import { presetNames } from "../recipes/presets";

const formats = ["bibtex", "csl-json", "latex", "markdown"] as const;

/** What `moco cite` and `moco crate` are given. */
export interface CiteFlags {
  readonly preset: (typeof presetNames)[number];
}

/** `moco cite`: a table with its citation. */
export function citeCommand(): Command {
  return new Command("cite")
    .description(
      "print a recorded table with the citation of the paper and the kit, and which results exactly it is of",
    )
    .argument("<table>", "its name, as of moco report: momentum, queue-size, transfer-quick, claims, ...")
    .addOption(new Option("--format <form>", "what to print").choices(formats).default("markdown"))
    .addOption(new Option("--preset <name>", "size of the runs").choices(presetNames).default("quick"))
    .action(async (table: string, { format, ...flags }: CiteFlags & { readonly format: (typeof formats)[number] }) => {
      const { citeAction } = await import("./cite-action.js");
      await citeAction(table, format, flags);
    });
}

/** `moco crate`: a table with its runs as an RO-Crate. */
export function crateCommand(): Command {
  return new Command("crate")
    .description("write a recorded table with its runs, and what made each, as an RO-Crate (Process Run Crate)")
    .argument("<table>", "its name, as of moco report: momentum, queue-size, transfer-quick, claims, ...")
    .option("--output <folder>", "where it goes (default: runs/crate-TABLE)")
    .addOption(new Option("--preset <name>", "size of the runs").choices(presetNames).default("quick"))
    .action(async (table: string, { output, ...flags }: CiteFlags & { readonly output?: string }) => {
      const { crateAction } = await import("./cite-action.js");
      await crateAction(table, output, flags);
    });
}
