import { existsSync } from "node:fs";
import { relative } from "node:path";
import { claimsOf } from "../claims/claims";
import { judge, type Judgement } from "../claims/judge";
import { registeredClaimsPath } from "../claims/registered-claims";
import { runsBehind, storedValues, type ClaimStores } from "../claims/stored-values";
import { readRateTrials } from "../experiments/mechanisms/rate-trials";
import { recordedTransferRuns } from "../experiments/transfer/stored-transfer";
import { presetNamed, presetNames, type Preset } from "../recipes/presets";
import { resultsFolder } from "../runs/run-name";
import { recordedRuns } from "../runs/run-store";
import { ablations } from "./ablations";

/** What came of a claim by recorded runs. */
export type RecordedJudgement = Judgement & {
  /** Name of the preset whose runs it is by; undefined where no preset has runs for the claim. */
  readonly preset: string | undefined;
  /** Files of these runs, below the folder of results. */
  readonly runs: readonly string[];
};

/** Where the recorded runs of a preset lie, and the tables that ask for them. */
export function recordedStores(preset: Preset, root = resultsFolder): ClaimStores {
  const runs = recordedRuns(preset, root);
  const trials = readRateTrials(runs.rateTrials(preset)) ?? [];
  return {
    ablation: (id) => ablations[id](preset, trials),
    runs,
    detectors: (transfer) => recordedTransferRuns(transfer, root),
  };
}

/** The presets that have claims and perhaps runs among the recorded results. */
export function recordedPresets(root = resultsFolder): readonly Preset[] {
  return presetNames.map(presetNamed).filter((preset) => existsSync(registeredClaimsPath(preset, root)));
}

/**
 * What came of every claim by the recorded runs: once for each preset that has runs for it, and once where none has.
 *
 * @param presets - by the runs of these; of all by default
 */
export function recordedJudgements(
  presets?: readonly Preset[],
  root: string = resultsFolder,
): readonly RecordedJudgement[] {
  const judged = (presets ?? recordedPresets(root)).flatMap((preset) => judgementsAt(preset, root));
  return [...new Set(judged.map(({ claim }) => claim.id))].flatMap((id) => {
    const ofClaim = judged.filter(({ claim }) => claim.id === id);
    const measured = ofClaim.filter((one) => "evidence" in one);
    return measured.length > 0 ? measured : [ofClaim[0]!];
  });
}

function judgementsAt(preset: Preset, root: string): RecordedJudgement[] {
  const stores = recordedStores(preset, root);
  return judge(claimsOf(preset), storedValues(stores)).map((judged) => {
    const { question } = judged.claim;
    return "evidence" in judged && "estimand" in question
      ? {
          ...judged,
          preset: preset.name,
          runs: runsBehind(question.estimand, stores).map((path) => relative(root, path)),
        }
      : { ...judged, preset: undefined, runs: [] };
  });
}
