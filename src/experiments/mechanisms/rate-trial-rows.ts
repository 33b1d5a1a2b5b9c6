import { percentValue } from "../../display/percent";
import type { TextRow } from "../../display/table";
import { standardErrorOfShare } from "../../statistics/mean";
import { bestRates, mechanisms, mechanismTitles, type RateTrial } from "./mechanisms";

/**
 * Accuracies of the trials: a row a mechanism, a column a rate, and the rate that is chosen.
 *
 * @param images - of the validation part, for the standard errors
 */
export function rateTrialRows(trials: readonly RateTrial[], images: number): TextRow[] {
  const chosen = bestRates(trials);
  return mechanisms.map((mechanism) => {
    const row: Record<string, string> = { mechanism: mechanismTitles[mechanism] };
    for (const { rate, knn } of trialsOf(trials, mechanism)) {
      row[`rate ${rate}`] =
        knn === null ? "diverged" : `${percentValue(knn)} ± ${percentValue(standardErrorOfShare(knn, images))}`;
    }
    return { ...row, chosen: chosen === undefined ? "–" : String(chosen[mechanism]) };
  });
}

/** Which choices the grid does not bracket: a rate beyond its end might be better. */
export function rateTrialNotes(trials: readonly RateTrial[]): string[] {
  const chosen = bestRates(trials);
  if (chosen === undefined) return [];
  const atTheEdge = mechanisms.filter((mechanism) => {
    const rates = trialsOf(trials, mechanism).map(({ rate }) => rate);
    return [Math.min(...rates), Math.max(...rates)].includes(chosen[mechanism]);
  });
  if (atTheEdge.length === 0) return [];
  return [`Best at an end of the grid: ${atTheEdge.map((mechanism) => mechanismTitles[mechanism]).join(", ")}.`];
}

function trialsOf(trials: readonly RateTrial[], mechanism: RateTrial["mechanism"]): readonly RateTrial[] {
  return trials.filter((trial) => trial.mechanism === mechanism);
}
