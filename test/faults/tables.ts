import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "./installation";

/** The document whose tables are written by commands. */
const document = join(checkout, "docs", "reliability.md");

/** The lines between `<!-- NAME: ... -->` and `<!-- end of NAME -->` in docs/reliability.md. */
export function readTable(name: string): string[] {
  return placeOf(name).content.trim().split("\n");
}

/** Writes a table there. */
export function writeTable(name: string, table: readonly string[]): void {
  const { before, after } = placeOf(name);
  writeFileSync(document, `${before}\n${table.join("\n")}\n\n${after}`);
}

function placeOf(name: string): { readonly before: string; readonly content: string; readonly after: string } {
  const text = readFileSync(document, "utf8");
  const found = new RegExp(`^([^]*<!-- ${name}: [^\\n]*-->\\n)([^]*)(<!-- end of ${name} -->[^]*)$`).exec(text);
  if (found === null) throw new Error(`Cannot find the table: ${document} has no place for ${name}`);
  const [, before, content, after] = found as unknown as [string, string, string, string];
  return { before, content, after };
}
