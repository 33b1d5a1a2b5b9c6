import { fewestSeeds, level } from "../claims/judge";
import { escapeHtml } from "../display/table";
import { claimNotes, claimRows } from "./claim-rows";
import { htmlNotes, linkedTable } from "./html-table";
import type { RecordedJudgement } from "./recorded-judgements";
import type { ReportTable } from "./report-table";

const verdicts = [
  "reproduced",
  "opposite",
  "not separated",
  "too few seeds",
  "not run at this scale",
  "not tested",
] as const;

/** What each verdict means, for the first screen. */
const meanings: Readonly<Record<(typeof verdicts)[number], string>> = {
  reproduced: "the recorded runs show it",
  opposite: "the recorded runs show the contrary",
  "not separated": "the runs show neither",
  "too few seeds": `runs are there, but a verdict takes ${fewestSeeds} seeds`,
  "not run at this scale": "the runs that it takes are not there",
  "not tested": "true by definition, or no question of numbers",
};

/** The claims with their verdicts as a table. */
export function claimsTable(judgements: readonly RecordedJudgement[]): ReportTable {
  const source = "the paper and docs/claims.md";
  return {
    id: "claims",
    title: "Claims and verdicts",
    paper: "all tables and figures",
    rows: claimRows(judgements).map((cells, index) => ({ cells, runs: judgements[index]!.runs })),
    printed: { claim: source, statement: source, by: source, published: source, test: "src/claims" },
    notes: claimNotes(judgements),
  };
}

/** The first screen: what was reproduced and what was not, then every claim. */
export function verdictSection(judgements: readonly RecordedJudgement[]): string {
  const claims = new Set(judgements.map(({ claim }) => claim.id)).size;
  const presets = new Set(judgements.flatMap(({ preset }) => preset ?? [])).size;
  const counts = verdicts.map((verdict) => {
    const judged = judgements.filter((one) => one.verdict === verdict);
    const lists = [...new Set(judged.map(({ preset }) => preset))].map((preset) => {
      const ids = judged.filter((one) => one.preset === preset).map(({ claim }) => claim.id);
      return (presets > 1 && preset !== undefined ? `${preset}: ` : "") + ids.join(", ");
    });
    const list = lists.length === 0 ? "none" : lists.join("; ");
    return `<li><b>${judged.length}</b> <strong>${verdict}</strong>: ${meanings[verdict]}.<br/><small>${escapeHtml(list)}</small></li>`;
  });
  const table = claimsTable(judgements);
  const several = presets > 1 ? " A claim has a verdict for each preset that has runs for it." : "";
  return `<section id="verdicts">
<h2>What was reproduced, and what was not</h2>
<p data-source="src/claims/judge.ts">Of ${claims} claims of the paper and about it.${several} A verdict is computed: it takes ${fewestSeeds} seeds, and p below ${level}
after Holm's adjustment within a table of the paper.</p>
<ul class="verdicts" data-source="counted from the table below">${counts.join("\n")}</ul>
${linkedTable(table)}
${htmlNotes(table.notes)}
</section>`;
}
