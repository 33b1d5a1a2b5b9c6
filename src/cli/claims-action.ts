import { claimsOf } from "../claims/claims";
import { judge } from "../claims/judge";
import { registerClaims, registeredClaimsPath } from "../claims/registered-claims";
import { storedValues } from "../claims/stored-values";
import { readRateTrials } from "../experiments/mechanisms/rate-trials";
import { ownTransferRuns } from "../experiments/transfer/stored-transfer";
import type { Preset } from "../recipes/presets";
import { ablations } from "../report/ablations";
import { claimTable } from "../report/claim-rows";
import { recordedStores } from "../report/recorded-report";
import { resultsFolder } from "../runs/run-name";
import { ownRuns } from "../runs/run-store";
import type { ClaimsFlags } from "./claims";

/** What `moco claims` does. A module of its own, since it loads TensorFlow. */
export function claimsAction(preset: Preset, { own, register, json }: Omit<ClaimsFlags, "preset">): void {
  const claims = claimsOf(preset);
  if (register) {
    const path = registeredClaimsPath(preset, resultsFolder);
    registerClaims(path, claims);
    console.log(`Wrote ${claims.length} claims to ${path}. Commit the file before the runs that they judge.`);
    return;
  }
  const runs = ownRuns();
  const trials = own ? (readRateTrials(runs.rateTrials(preset)) ?? []) : [];
  const stores = own
    ? {
        ablation: (id: keyof typeof ablations) => ablations[id](preset, trials),
        runs,
        detectors: () => ownTransferRuns(),
      }
    : recordedStores(preset);
  const judgements = judge(claims, storedValues(stores));
  console.log(json ? JSON.stringify(judgements, null, 2) : claimTable(judgements));
}
