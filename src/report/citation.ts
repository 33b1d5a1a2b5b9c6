import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { latexTable, latexText, markdownTable, type ReportTable } from "./report-table";

/** Forms of a citation. */
export const citationFormats = ["bibtex", "csl-json", "latex", "markdown"] as const;
export type CitationFormat = (typeof citationFormats)[number];

/** What a table is cited with. */
export interface CitedTable {
  readonly table: ReportTable;
  /** Name of the preset. */
  readonly preset: string;
  /** Of the kit. */
  readonly version: string;
  /** Commit of the kit's checkout; undefined outside one. */
  readonly commit: string | undefined;
  /** {@link resultsHash} of its runs. */
  readonly hash: string;
}

/** The paper (CVPR 2020, pages 9729 to 9738). */
const paper = {
  key: "he2020momentum",
  title: "Momentum Contrast for Unsupervised Visual Representation Learning",
  authors: [
    ["He", "Kaiming"],
    ["Fan", "Haoqi"],
    ["Wu", "Yuxin"],
    ["Xie", "Saining"],
    ["Girshick", "Ross"],
  ],
  venue: "IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)",
  year: 2020,
  pages: "9729--9738",
} as const;

/** As in CITATION.cff. */
const kit = {
  key: "mocokit",
  title: "moco-kit: a reproduction kit for Momentum Contrast in TypeScript",
  author: "moco-kit authors",
} as const;

/**
 * Which results exactly: SHA-256 of the names of the files of a table's runs and of their content, in the order of names.
 *
 * @param root - folder of recorded results
 */
export function resultsHash({ rows }: ReportTable, root: string): string {
  const files = [...new Set(rows.flatMap(({ runs }) => runs))].sort();
  const hash = createHash("sha256");
  for (const file of files) {
    const content = createHash("sha256")
      .update(readFileSync(join(root, file)))
      .digest("hex");
    hash.update(`${content}  ${file}\n`);
  }
  return hash.digest("hex");
}

/** A table with what it takes to cite it, ready to paste. */
export function citation(cited: CitedTable, format: CitationFormat): string {
  switch (format) {
    case "bibtex":
      return bibtex(cited);
    case "csl-json":
      return JSON.stringify(cslItems(cited), null, 2);
    case "latex":
      return `% ${statement(cited)}\n${latexTable(cited.table).replace(
        /^(\\caption\{.*)\}$/m,
        (_, caption: string) =>
          `${caption} ${latexText(statement(cited))} Paper:~\\cite{${paper.key}}; kit:~\\cite{${kit.key}}.}`,
      )}\n\n% For the bibliography:\n${bibtex(cited)
        .split("\n")
        .map((line) => `% ${line}`)
        .join("\n")}`;
    case "markdown":
      return [
        `**${cited.table.title}** (${cited.table.paper})`,
        markdownTable(cited.table),
        ...cited.table.notes,
        `${statement(cited)} ${kit.title}, version ${cited.version}. Paper: ${paper.authors
          .map(([family, given]) => `${given} ${family}`)
          .join(", ")}. ${paper.title}. ${paper.venue}, ${paper.year}.`,
      ].join("\n\n");
  }
}

function statement({ table, preset, commit, hash }: CitedTable): string {
  return `Computed by moco-kit (table ${table.id}, preset ${preset}${commit === undefined ? "" : `, commit ${commit}`}) from results with SHA-256 ${hash}.`;
}

function bibtex(cited: CitedTable): string {
  const authors = paper.authors.map(([family, given]) => `${family}, ${given}`).join(" and ");
  return [
    `@inproceedings{${paper.key},`,
    `  title = {${paper.title}},`,
    `  author = {${authors}},`,
    `  booktitle = {${paper.venue}},`,
    `  year = {${paper.year}},`,
    `  pages = {${paper.pages}}`,
    "}",
    "",
    `@misc{${kit.key},`,
    `  title = {${kit.title}},`,
    `  author = {{${kit.author}}},`,
    `  note = {Version ${cited.version}. ${latexText(statement(cited))}}`,
    "}",
  ].join("\n");
}

function cslItems(cited: CitedTable): readonly object[] {
  return [
    {
      id: paper.key,
      type: "paper-conference",
      title: paper.title,
      author: paper.authors.map(([family, given]) => ({ family, given })),
      "container-title": paper.venue,
      issued: { "date-parts": [[paper.year]] },
      page: paper.pages.replace("--", "-"),
    },
    {
      id: kit.key,
      type: "software",
      title: kit.title,
      author: [{ literal: kit.author }],
      version: cited.version,
      note: statement(cited),
    },
  ];
}
