import { fewestSeeds, level, type Judgement } from "../claims/judge";
import { escapeHtml } from "../display/table";
import { claimNotes, claimRows } from "./claim-rows";
import { htmlNotes, linkedTable } from "./html-table";
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

/**
 * The claims with their verdicts as a table.
 *
 * @param runsOf - files of the runs behind a claim, below `results`
 */
export function claimsTable(
  judgements: readonly Judgement[],
  runsOf: (judged: Judgement) => readonly string[],
): ReportTable {
  const rows = claimRows(judgements).map((cells, index) => {
    const judged = judgements[index]!;
    return { cells, runs: "evidence" in judged ? runsOf(judged) : [] };
  });
  const source = "the paper and docs/claims.md";
  return {
    id: "claims",
    title: "Claims and verdicts",
    paper: "all tables and figures",
    rows,
    printed: { claim: source, statement: source, by: source, published: source, test: "src/claims" },
    notes: claimNotes(judgements),
  };
}

/** The first screen: what was reproduced and what was not, then every claim. */
export function verdictSection(judgements: readonly Judgement[], table: ReportTable): string {
  const counts = verdicts.map((verdict) => {
    const ids = judgements.filter((judged) => judged.verdict === verdict).map(({ claim }) => claim.id);
    const list = ids.length === 0 ? "none" : ids.join(", ");
    return `<li><b>${ids.length}</b> <strong>${verdict}</strong>: ${meanings[verdict]}.<br/><small>${escapeHtml(list)}</small></li>`;
  });
  return `<section id="verdicts">
<h2>What was reproduced, and what was not</h2>
<p data-source="src/claims/judge.ts">Of ${judgements.length} claims of the paper and about it. A verdict is computed: it takes ${fewestSeeds} seeds, and p below ${level}
after Holm's adjustment within a table of the paper.</p>
<ul class="verdicts" data-source="counted from the table below">${counts.join("\n")}</ul>
${linkedTable(table)}
${htmlNotes(table.notes)}
</section>`;
}
