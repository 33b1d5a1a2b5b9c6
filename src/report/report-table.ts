import { printable } from "../files/printable";
import type { TextRow } from "../display/table";

/** A row of a table with where its numbers come from. */
export interface ReportRow {
  readonly cells: TextRow;
  /** Files of the runs that its numbers are computed from, below `results`: "quick/NAME.json"; none where nothing was run. */
  readonly runs: readonly string[];
}

/** A table as it is shown on the page, in Markdown, LaTeX and CSV, and cited. */
export interface ReportTable {
  /** Preset and name, "quick-momentum"; a part of a table has its name after that: "quick-momentum-agreement". */
  readonly id: string;
  readonly title: string;
  /** Where in the paper it is. */
  readonly paper: string;
  readonly rows: readonly ReportRow[];
  /** Columns whose numbers are no results: what the paper printed, and settings; each with where it says so. */
  readonly printed: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

/** The columns of a table, in order; none of an empty one. */
export function columnsOf({ rows }: ReportTable): readonly string[] {
  return Object.keys(rows[0]?.cells ?? {});
}

/** A table with some of its columns, in the order given. */
export function withColumns(table: ReportTable, columns: readonly string[]): ReportTable {
  const pick = (cells: TextRow): TextRow => Object.fromEntries(columns.map((column) => [column, cells[column]!]));
  return { ...table, rows: table.rows.map((row) => ({ ...row, cells: pick(row.cells) })) };
}

/** A table as Markdown, laid out as Prettier does. */
export function markdownTable(table: ReportTable): string {
  const columns = columnsOf(table);
  // An HTML tag would be one in Markdown too.
  const cell = (text: string) =>
    oneLine(text)
      .replaceAll("|", "\\|")
      .replace(/<(?=[a-z/!?])/gi, "\\<");
  const lines = [columns, ...table.rows.map(({ cells }) => columns.map((column) => cells[column]!))].map((line) =>
    line.map(cell),
  );
  const widths = columns.map((_, index) => Math.max(3, ...lines.map((line) => lengthOf(line[index]!))));
  const row = (line: readonly string[]) =>
    `| ${line.map((text, index) => text + " ".repeat(widths[index]! - lengthOf(text))).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [row(lines[0]!), rule, ...lines.slice(1).map(row)].join("\n");
}

/** What a spreadsheet takes for a formula; a number with its sign is none. */
const formula = /^[=@\t\r]|^[+-](?![\d.])/;

/** A table as CSV (RFC 4180), with a column of the files of its runs. A cell that would be a formula begins with an apostrophe. */
export function csvTable(table: ReportTable): string {
  const columns = columnsOf(table);
  const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const field = (text: string) => quoted(formula.test(text) ? `'${text}` : text);
  const lines = table.rows.map(({ cells, runs }) => [...columns.map((column) => cells[column]!), runs.join(" ")]);
  return [[...columns, "runs"], ...lines].map((line) => `${line.map(oneLine).map(field).join(",")}\r\n`).join("");
}

/** A table as LaTeX, for the package booktabs. */
export function latexTable(table: ReportTable): string {
  const columns = columnsOf(table);
  const line = (texts: readonly string[]) => `${texts.map((text) => latexText(oneLine(text))).join(" & ")} \\\\`;
  return [
    "\\begin{table}",
    `\\caption{${latexText(`${table.title} (${table.paper}).`)}}`,
    `\\label{tab:${table.id}}`,
    `\\begin{tabular}{${"l".repeat(columns.length)}}`,
    "\\toprule",
    line(columns),
    "\\midrule",
    ...table.rows.map(({ cells }) => line(columns.map((column) => cells[column]!))),
    "\\bottomrule",
    "\\end{tabular}",
    "\\end{table}",
  ].join("\n");
}

const latexCharacters: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "−": "$-$",
  "–": "--",
  "×": "$\\times$",
  "≈": "$\\approx$",
  θ: "$\\theta$",
  "←": "$\\leftarrow$",
  "±": "$\\pm$",
};

/** Text for LaTeX. */
export function latexText(text: string): string {
  return text.replace(/[\\~^−–×≈θ←±&%$#_{}]/g, (one) => latexCharacters[one] ?? `\\${one}`);
}

/** In one line, and without what would steer a terminal that shows the file. */
function oneLine(text: string): string {
  return printable(text.replace(/\s*[\n\r\u2028\u2029]\s*/g, " "));
}

function lengthOf(text: string): number {
  return [...text].length;
}
