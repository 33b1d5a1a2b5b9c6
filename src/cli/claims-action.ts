import { claimsOf } from "../claims/claims";
import { judge, type Judgement } from "../claims/judge";
import { registerClaims, registeredClaimsPath } from "../claims/registered-claims";
import { storedValues } from "../claims/stored-values";
import { readRateTrials } from "../experiments/mechanisms/rate-trials";
import { ownTransferRuns } from "../experiments/transfer/stored-transfer";
import { presetNamed, type Preset } from "../recipes/presets";
import { ablations } from "../report/ablations";
import { claimTable } from "../report/claim-rows";
import { recordedJudgements } from "../report/recorded-judgements";
import { resultsFolder } from "../runs/run-name";
import { ownRuns } from "../runs/run-store";
import type { ClaimsFlags } from "./claims";

/** What `moco claims` does. A module of its own, since it loads TensorFlow. */
export function claimsAction({ preset: name, own, register, json }: ClaimsFlags): void {
  if (register) {
    registerPreset(presetNamed(name ?? "quick"));
    return;
  }
  const judgements = own
    ? ownJudgements(presetNamed(name ?? "quick"))
    : recordedJudgements(name === undefined ? undefined : [presetNamed(name)]);
  console.log(json ? JSON.stringify(judgements, null, 2) : claimTable(judgements));
}

function registerPreset(preset: Preset): void {
  const claims = claimsOf(preset);
  const path = registeredClaimsPath(preset, resultsFolder);
  registerClaims(path, claims);
  console.log(`Wrote ${claims.length} claims to ${path}. Commit the file before the runs that they judge.`);
}

function ownJudgements(preset: Preset): readonly Judgement[] {
  const runs = ownRuns();
  const trials = readRateTrials(runs.rateTrials(preset)) ?? [];
  return judge(
    claimsOf(preset),
    storedValues({
      ablation: (id) => ablations[id](preset, trials),
      runs,
      detectors: () => ownTransferRuns(),
    }),
  );
}
