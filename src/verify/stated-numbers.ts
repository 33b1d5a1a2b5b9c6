import { join } from "node:path";
import { z } from "zod";
import { readCheckedJson, writeCheckedJson } from "../files/checked-json";
import { withoutBlocks } from "../report/result-blocks";
import { fault, type Finding } from "./finding";

/**
 * Numbers of the documents that are not computed from results: settings, costs, what was measured by hand. Each section has a
 * source for them, and its numbers are written down, so that none is altered unnoticed.
 */
const schema = z.record(z.record(z.object({ source: z.string(), numbers: z.string() })));

export type StatedNumbers = z.infer<typeof schema>;

/** A section of a document: what stands under a heading up to the next, computed parts left out. */
interface Section {
  readonly heading: string;
  readonly numbers: readonly { readonly text: string; readonly line: number }[];
}

/** Where they are written down, below the project's folder. */
export const statedNumbersFile = join("docs", "stated-numbers.json");

/** What stands where the source of a section is not written yet. */
const unknownSource = "?";

/** Reads what is written down. */
export function readStatedNumbers(path: string): StatedNumbers {
  return (
    readCheckedJson(path, schema, {
      what: "stated numbers",
      advice: "After a change by hand run moco verify --accept, which writes its checksum",
    }) ?? {}
  );
}

/** Compares the numbers of a document with those that are written down. */
export function checkStatedNumbers(document: string, text: string, stated: StatedNumbers): Finding[] {
  const sections = sectionsOf(text);
  const written = stated[document] ?? {};
  const found = sections.flatMap(({ heading, numbers }): Finding[] => {
    const entry = written[heading];
    const where = `${document}, "${heading}"`;
    if (entry === undefined) {
      const first = numbers[0]!;
      return [
        fault(
          `${where}, line ${first.line}`,
          `${first.text} is neither computed nor written down with a source: run moco verify --accept, and give the source in ${statedNumbersFile}`,
        ),
      ];
    }
    if (entry.source === unknownSource) return [fault(where, `its numbers have no source in ${statedNumbersFile}`)];
    return differenceOf(where, numbers, entry.numbers);
  });
  const gone = Object.keys(written).filter((heading) => sections.every((section) => section.heading !== heading));
  return [
    ...found,
    ...gone.map((heading) =>
      fault(`${document}, "${heading}"`, `it is in ${statedNumbersFile}, and not in the document`),
    ),
  ];
}

/**
 * Writes down the numbers as they stand. Sources stay; a new section gets a question mark, which a person replaces.
 *
 * @param texts - of the documents
 */
export function acceptStatedNumbers(path: string, texts: ReadonlyMap<string, string>, known: StatedNumbers): void {
  const stated: StatedNumbers = {};
  for (const [document, text] of texts) {
    stated[document] = Object.fromEntries(
      sectionsOf(text).map(({ heading, numbers }) => [
        heading,
        {
          source: known[document]?.[heading]?.source ?? unknownSource,
          numbers: numbers.map((one) => one.text).join(" "),
        },
      ]),
    );
  }
  writeCheckedJson(path, stated, 2);
}

function differenceOf(where: string, numbers: Section["numbers"], written: string): Finding[] {
  const expected = written.split(" ");
  const at = numbers.findIndex(({ text }, index) => text !== expected[index]);
  if (at < 0 && numbers.length === expected.length) return [];
  const [now, line] = at < 0 ? ["none", numbers.at(-1)!.line] : [numbers[at]!.text, numbers[at]!.line];
  const before = expected[at < 0 ? numbers.length : at] ?? "none";
  return [
    fault(`${where}, line ${line}`, `the number ${now} was ${before} when it was written down (${statedNumbersFile})`),
  ];
}

/** Sections that have numbers. Two of the same heading are one. */
function sectionsOf(text: string): readonly Section[] {
  const sections = new Map<string, { text: string; line: number }[]>();
  let heading = "";
  let code = false;
  withoutBlocks(text)
    .split("\n")
    .forEach((line, index) => {
      if (line.startsWith("```")) code = !code;
      const title = code ? undefined : /^#+ (.*)$/.exec(line)?.[1];
      if (title !== undefined) heading = title;
      for (const [number] of line.matchAll(/\d+(?:[.,]\d+)*/g)) {
        sections.set(heading, [...(sections.get(heading) ?? []), { text: number, line: index + 1 }]);
      }
    });
  return [...sections].map(([name, numbers]) => ({ heading: name, numbers }));
}
