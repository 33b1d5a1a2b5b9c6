import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "./installation";
import type { Row } from "./row";
import { rows } from "./rows";
import { readTable, writeTable } from "./tables";

/** What came of a row. */
export interface TriedRow {
  readonly row: Row;
  readonly tried: number;
  readonly lost: number;
  /** The command that tries it so again. */
  readonly command: string;
  /** All that was printed. */
  readonly output: string;
}

const outputs = join(checkout, "docs", "reliability-output.txt");

/** Writes rows into the table of docs/reliability.md, in place of those of their commands, and what was printed beside it. */
export function recordRows(tried: readonly TriedRow[]): void {
  const lines = readTable("rows").filter((line) => line.includes("npm run faults"));
  for (const one of tried) {
    const index = lines.findIndex((line) => isOf(line, one.row.id));
    if (index < 0) lines.push(lineOf(one));
    else lines[index] = lineOf(one);
  }
  const order = (line: string) => rows.findIndex(({ id }) => isOf(line, id));
  lines.sort((one, other) => order(one) - order(other));
  const header = ["| fault | promised | tried | lost | command |", "| --- | --- | --- | --- | --- |"];
  writeTable("rows", [...header, ...lines]);

  const before = existsSync(outputs) ? readFileSync(outputs, "utf8").split(/^(?=npm run faults)/m) : [];
  const kept = before.filter((part) => !tried.some(({ row }) => isOf(part.split("\n")[0]!, row.id)));
  writeFileSync(outputs, [...kept, ...tried.map(({ output }) => `${output}\n`)].join(""));
}

function isOf(line: string, id: string): boolean {
  return line.includes(`npm run faults -- ${id} `);
}

function lineOf({ row, tried, lost, command }: TriedRow): string {
  return `| ${row.fault} | ${row.promise} | ${tried} | ${lost} | \`${command}\` |`.replaceAll("| head", "\\| head");
}
