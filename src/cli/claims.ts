import { Command, Option } from "commander";
import { presetNamed, presetNames } from "../recipes/presets";

/** What `moco claims` is given. */
export interface ClaimsFlags {
  readonly preset: string;
  readonly own?: boolean;
  readonly register?: boolean;
  readonly json?: boolean;
}

/** `moco claims`: prints every claim with what the recorded runs say of it. Trains nothing. */
export function claimsCommand(): Command {
  return new Command("claims")
    .description("print the claims made by the paper and of it, each with its verdict; nothing is trained")
    .addOption(new Option("--preset <name>", "size of the runs").choices(presetNames).default("quick"))
    .option("--own", "your own runs in runs, instead of those recorded in results")
    .option("--register", "write the claims down in results, to be committed before the runs that they judge")
    .option("--json", "print JSON")
    .action(async ({ preset: name, ...flags }: ClaimsFlags) => {
      const preset = presetNamed(name);
      const { claimsAction } = await import("./claims-action.js");
      claimsAction(preset, flags);
    });
}
