import { Command, Option } from "commander";
import { judge } from "../claims/judge";
import { claimTable } from "../report/claim-rows";
import { presetNamed, presetNames } from "../recipes/presets";
import { ablations } from "./table";

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
      const { claimsOf } = await import("../claims/claims.js");
      const { storedValues } = await import("../claims/stored-values.js");
      const { readRateTrials } = await import("../experiments/mechanisms/rate-trials.js");
      const { ownRuns, recordedRuns } = await import("../runs/run-store.js");
      const { ownTransferRuns, recordedTransferRuns } = await import("../experiments/transfer/stored-transfer.js");
      const claims = claimsOf(preset);
      const runs = own ? ownRuns() : recordedRuns(preset);
      const find = storedValues({
        ablation: (id) => ablations[id](preset, readRateTrials(runs.rateTrials(preset)) ?? []),
        runs,
        detectors: (transfer) => (own ? ownTransferRuns() : recordedTransferRuns(transfer)),
      });
      const judgements = judge(claims, find);
      console.log(json ? JSON.stringify(judgements, null, 2) : claimTable(judgements));
    });
}
