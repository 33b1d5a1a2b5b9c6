import { Command, Option } from "commander";
import { claimTable } from "../report/claim-rows";
import { presetNamed, presetNames } from "../recipes/presets";

interface ClaimsFlags {
  readonly preset: string;
  readonly own?: boolean;
  readonly json?: boolean;
}

/** `moco claims`: prints every claim with what the recorded runs say of it. Trains nothing. */
export function claimsCommand(): Command {
  return new Command("claims")
    .description("print the claims made by the paper and of it, each with its verdict; nothing is trained")
    .addOption(new Option("--preset <name>", "size of the runs").choices(presetNames).default("quick"))
    .option("--own", "your own runs in runs, instead of those recorded in results")
    .option("--json", "print JSON")
    .action(async ({ preset: name, own, json }: ClaimsFlags) => {
      const preset = presetNamed(name);
      const { ownJudgements, recordedJudgements } = await import("../claims/stored-judgements.js");
      const judgements = own ? ownJudgements(preset) : recordedJudgements(preset);
      console.log(json ? JSON.stringify(judgements, null, 2) : claimTable(judgements));
    });
}
