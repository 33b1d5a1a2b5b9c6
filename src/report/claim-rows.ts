import { signed, signedInterval } from "../display/signed";
import type { Claim, ClaimTest } from "../claims/claim";
import { fewestSeeds, level, type Judgement } from "../claims/judge";
import { textTable } from "../display/table";
import type { TextRow } from "../display/table";
import type { RecordedJudgement } from "./recorded-judgements";

/** Characters of a line in the column of statements. */
const statementWidth = 60;

/** Claims with their verdicts as text for the terminal. */
export function claimTable(judgements: readonly Judgement[]): string {
  return [textTable(claimRows(judgements)), ...claimNotes(judgements)].join("\n");
}

/**
 * A row a claim: what it says, what the paper prints, what came of it here; with the preset whose runs say so, where the
 * judgements have it.
 */
export function claimRows(judgements: readonly (Judgement | RecordedJudgement)[]): TextRow[] {
  return judgements.map((judged) => ({
    claim: judged.claim.id,
    ...("preset" in judged && { preset: judged.preset ?? "–" }),
    statement: wrapped(judged.claim.statement),
    by: judged.claim.by,
    published: `${judged.claim.source}\n${published(judged.claim)}`,
    test: testOf(judged.claim),
    here: "evidence" in judged ? hereOf(judged) : "–",
    verdict: "smallest" in judged ? `${judged.verdict};\nshown from ${signed(judged.smallest)}` : judged.verdict,
  }));
}

/** What the columns mean, and why claims have no verdict: one note for all claims with the same reason. */
export function claimNotes(judgements: readonly Judgement[]): string[] {
  const reasons = judgements.flatMap((judged) => ("reason" in judged ? [judged.reason] : []));
  const rises = judgements.some(({ claim: { question } }) => "estimand" in question && question.test.kind === "trend");
  const shownFrom = judgements.some((judged) => "smallest" in judged);
  return [
    "Here: the difference in points with its 95 % interval over seeds, which are pairs, and p adjusted by Holm's method " +
      `within a table of the paper; a verdict takes ${fewestSeeds} seeds and p below ${level}.`,
    ...(rises
      ? [
          "Rises: the values rise from row to row (Page's test), and the last is above the first by more than the margin.",
        ]
      : []),
    ...(shownFrom
      ? [
          "Shown from: the smallest true difference that so many seeds show in four of five cases; " +
            'for "the same", the smallest that contradicts it.',
        ]
      : []),
    ...[...new Set(reasons)].map((reason) => {
      const ids = judgements.flatMap((judged) =>
        "reason" in judged && judged.reason === reason ? [judged.claim.id] : [],
      );
      return `${ids.join(", ")}: ${reason}.`;
    }),
  ];
}

function published({ reference }: Claim): string {
  if (reference === undefined) return "–";
  const { points, printed } = reference;
  return points === undefined || !printed.includes(" against ") ? printed : `${printed}: ${signed(points)}`;
}

const titles: Readonly<Record<ClaimTest["kind"], string>> = {
  difference: "difference",
  "non-inferiority": "not worse",
  equivalence: "the same",
  trend: "rises",
};

function testOf({ question }: Claim): string {
  if (!("estimand" in question)) return "–";
  const { test } = question;
  return test.kind === "difference" ? titles[test.kind] : `${titles[test.kind]}, margin ${test.margin}`;
}

function hereOf(judged: Extract<Judgement, { readonly evidence: unknown }>): string {
  const { difference, low, high, seeds } = judged.evidence;
  if (seeds === 1) return `${signed(difference)}\n1 seed`;
  const measured = `${signedInterval(difference, { low, high })}\n${seeds} seeds`;
  if (!("p" in judged)) return measured;
  return `${measured}, p ${judged.p < 0.001 ? "< 0.001" : `= ${judged.p.toPrecision(2)}`}`;
}

/** Breaks a line between words. */
function wrapped(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > statementWidth) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}
