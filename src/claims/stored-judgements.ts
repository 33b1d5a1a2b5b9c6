import { readRateTrials } from "../experiments/mechanisms/rate-trials";
import { ownTransferRuns, recordedTransferRuns } from "../experiments/transfer/stored-transfer";
import type { Transfer } from "../experiments/transfer/transfer";
import type { Preset } from "../recipes/presets";
import { ownRuns, recordedRuns } from "../runs/run-store";
import type { Estimand } from "./claim";
import { claimsOf } from "./claims";
import { judge, type Judgement } from "./judge";
import { storedValues } from "./stored-values";
import { ablations } from "./tables";

/** Every claim with what the recorded runs of a preset say of it. Trains nothing. */
export function recordedJudgements(preset: Preset): Judgement[] {
  return storedJudgements(preset, "recorded");
}

/** As {@link recordedJudgements}, of the runs made on this machine. */
export function ownJudgements(preset: Preset): Judgement[] {
  return storedJudgements(preset, "own");
}

/**
 * Those whose values stand in some tables, or that have one of some names. Choose after judging: p values are adjusted within
 * all claims of a table of the paper.
 */
export function judgementsOn(
  judgements: readonly Judgement[],
  { tables, ids = [] }: { readonly tables: readonly Estimand["table"][]; readonly ids?: readonly string[] },
): Judgement[] {
  return judgements.filter(
    ({ claim: { id, question } }) =>
      ids.includes(id) || ("estimand" in question && tables.includes(question.estimand.table)),
  );
}

function storedJudgements(preset: Preset, whose: "own" | "recorded"): Judgement[] {
  const runs = whose === "own" ? ownRuns() : recordedRuns(preset);
  const trials = readRateTrials(runs.rateTrials(preset)) ?? [];
  const detectors = (transfer: Transfer) => (whose === "own" ? ownTransferRuns() : recordedTransferRuns(transfer));
  return judge(claimsOf(preset), storedValues({ ablation: (id) => ablations[id](preset, trials), runs, detectors }));
}
