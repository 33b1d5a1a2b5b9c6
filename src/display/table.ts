import Table from "cli-table3";
import { InputError } from "../errors";
import { printable } from "../files/printable";
import { showOutput, type Bundle } from "./output";

type Value = string | number | boolean | null | undefined;

/** A row: its values by column. */
export type Row = Readonly<Record<string, Value>>;

/** A row of a table as text: the same columns in every row. */
export type TextRow = Readonly<Record<string, string>>;

/** What a danfojs DataFrame has of a table. */
export interface DataFrameLike {
  readonly columns: readonly string[];
  readonly values: readonly unknown[];
}

/** What can be shown as a table: rows with the same columns, or a danfojs DataFrame. */
export type TableData = readonly Row[] | DataFrameLike;

/**
 * Shows a table below the cell, as HTML and as text; outside a notebook, prints the text.
 *
 * @throws InputError if there is no column, or a row has a column that the first has not
 */
export function showTable(data: TableData, options: { readonly caption?: string } = {}): void {
  showOutput(tableBundle(data, options.caption));
}

/** A table as HTML and as text. */
export function tableBundle(data: TableData, caption?: string): Bundle & { readonly "text/html": string } {
  const { columns, rows } = cellsOf(data);
  const text = new Table({ head: columns.map(printable), style: { head: [], border: [], compact: true } });
  text.push(...rows.map((row) => row.map(printable)));
  const intervals = columns.filter((_, column) => rows.some((row) => interval.test(row[column]!))).length;
  const whole = intervals > mostWholeIntervals ? (text: string) => text : unbroken;
  const words = columns.map((_, column) => rows.some((row) => !isNumeric(row[column]!)));
  const cell = (name: "th" | "td", text: string, column: number): string =>
    `<${name}${words[column]! ? ' style="text-align:left"' : ""}>${escapeHtml(whole(text))}</${name}>`;
  const head = columns.map((column, index) => cell("th", column, index)).join("");
  const body = rows.map((row) => `<tr>${row.map((text, column) => cell("td", text, column)).join("")}</tr>`).join("\n");
  const title = caption === undefined ? "" : `<caption>${escapeHtml(caption)}</caption>\n`;
  return {
    "text/html": `<table>${title}<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>`,
    "text/plain": caption === undefined ? text.toString() : `${caption}\n${text.toString()}`,
  };
}

/** A number, perhaps with its interval or unit, or nothing: what stands on the right in a table. */
function isNumeric(text: string): boolean {
  return /^([−+-]?[\d.,]+( %| M)?( \[[^\]]*\])?|–|-)?$/.test(text);
}

const interval = /\[[−+-]?[\d.,]+, [−+-]?[\d.,]+\]/;
/** Columns of intervals that a page of usual width has room for. */
const mostWholeIntervals = 6;

/** An interval stays in one line: "55.2 [53.1, 57.4]" breaks before the bracket, if it has to. */
function unbroken(text: string): string {
  return text.replace(interval, (found) => found.replace(" ", "\u00a0"));
}

/** Rows as text for the terminal; nothing for none. */
export function textTable(rows: readonly TextRow[]): string {
  return rows.length === 0 ? "" : tableBundle(rows)["text/plain"];
}

function cellsOf(data: TableData): { columns: readonly string[]; rows: readonly (readonly string[])[] } {
  if (isDataFrame(data)) {
    return { columns: data.columns, rows: data.values.map((row) => (row as readonly Value[]).map(print)) };
  }
  const columns = Object.keys(data[0] ?? {});
  if (columns.length === 0) {
    throw new InputError("Cannot show a table: it needs one row with one column at least");
  }
  for (const [index, row] of data.entries()) {
    const unknown = Object.keys(row).find((column) => !columns.includes(column));
    if (unknown !== undefined) {
      throw new InputError(
        `Cannot show a table: every row needs the columns of the first (${columns.join(", ")}), row ${index} has ${unknown}`,
      );
    }
  }
  return { columns, rows: data.map((row) => columns.map((column) => print(row[column]))) };
}

function isDataFrame(data: TableData): data is DataFrameLike {
  return "columns" in data && "values" in data && Array.isArray(data.columns);
}

function print(value: Value): string {
  return value === undefined || value === null ? "" : String(value);
}

/** Text for HTML, in elements and attributes. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
