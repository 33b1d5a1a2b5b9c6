import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { readJson } from "../files/checked-json";
import { withSortedKeys } from "../files/sorted-keys";
import { InputError } from "../errors";
import { namesIn } from "../runs/run-name";
import { fault, type Finding } from "./finding";
import { proseOf, sourceCells } from "./notebook-source";
import { recordedOutputs, type CellOutput } from "./recorded-outputs";

/** Text in a notebook's file: whole, or in lines that keep their ends. */
const textSchema = z.union([z.string(), z.array(z.string())]);

const notebookSchema = z.object({
  cells: z.array(
    z.object({
      cell_type: z.string(),
      source: textSchema,
      outputs: z
        .array(
          z.object({ output_type: z.string(), text: textSchema.optional(), data: z.record(z.unknown()).optional() }),
        )
        .optional(),
    }),
  ),
});

export interface NotebookOptions {
  /** The project's folder. */
  readonly project: string;
  /** Which notebooks are looked at, by name without its end. @default all */
  readonly wanted?: (name: string) => boolean;
}

/** Notebooks that compute AP on a thousand draws of images: a minute each. */
export function isSlowNotebook(name: string): boolean {
  return name.startsWith("06-") || name.startsWith("07-");
}

/** Prose of the notebooks' sources, by their path below the project's folder. */
export function notebookProse(project: string): ReadonlyMap<string, string> {
  return new Map(
    notebookNames(project).map((name) => {
      const path = join("notebooks", "sources", `${name}.ts`);
      return [path, proseOf(readFileSync(join(project, path), "utf8"))];
    }),
  );
}

/**
 * Compares the notebooks with their sources, and computes what they show of recorded runs anew. Cells tagged "varies" show what
 * was trained just now: their outputs are looked at by `npm run notebooks -- --check`.
 */
export async function checkNotebooks({ project, wanted = () => true }: NotebookOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const name of notebookNames(project).filter(wanted)) {
    try {
      findings.push(...(await checkNotebook(name, project)));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      findings.push(fault(`notebooks/${name}.ipynb`, error.message));
    }
  }
  return findings;
}

async function checkNotebook(name: string, project: string): Promise<Finding[]> {
  const where = `notebooks/${name}.ipynb`;
  const path = join(project, where);
  const advice = `make it anew: npm run notebooks -- ${name.slice(0, 2)}`;
  if (!existsSync(path)) return [fault(where, `there is no notebook of its source: ${advice}`)];
  const parsed = notebookSchema.safeParse(readJson(path));
  if (!parsed.success) return [fault(where, `it is no notebook: ${parsed.error.issues[0]!.message}`)];
  const { cells } = parsed.data;
  const source = readFileSync(join(project, "notebooks", "sources", `${name}.ts`), "utf8");
  const expected = sourceCells(source);
  if (cells.length !== expected.length) {
    return [fault(where, `it has ${cells.length} cells, its source ${expected.length}: ${advice}`)];
  }
  const computed = await recordedOutputs(source, path);
  return cells.flatMap((cell, index): Finding[] => {
    const { kind, text } = expected[index]!;
    const at = `${where}, cell ${index + 1}`;
    const told = (change: string) => fault(at, `${change}: ${advice}`);
    if (cell.cell_type !== kind) return [told(`it is ${cell.cell_type}, and ${kind} in its source`)];
    const ofText = firstChange(wholeText(cell.source), text, "its source has");
    const outputs = computed.get(index);
    const ofOutputs =
      outputs &&
      outputChange(
        (cell.outputs ?? []).map(({ text: written, data }) => keptOutput(written, data)),
        outputs,
      );
    return [ofText, ofOutputs].flatMap((change) => (change === undefined ? [] : [told(change)]));
  });
}

function notebookNames(project: string): readonly string[] {
  return namesIn(join(project, "notebooks", "sources"), ".ts").map((name) => basename(name));
}

function keptOutput(text: z.infer<typeof textSchema> | undefined, data: Record<string, unknown> = {}): CellOutput {
  if (text !== undefined) return { text: wholeText(text) };
  const whole = (value: unknown) => (isLines(value) ? value.join("") : value);
  return { data: Object.fromEntries(Object.entries(data).map(([type, value]) => [type, whole(value)])) };
}

function isLines(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((line) => typeof line === "string");
}

function wholeText(text: z.infer<typeof textSchema>): string {
  return typeof text === "string" ? text : text.join("");
}

/** The first output that differs, in words. */
function outputChange(kept: readonly CellOutput[], computed: readonly CellOutput[]): string | undefined {
  if (kept.length !== computed.length)
    return `${kept.length} outputs are kept where the recorded runs give ${computed.length}`;
  for (const [index, output] of computed.entries()) {
    const [is, should] = [flat(kept[index]!), flat(output)];
    for (const type of new Set([...should.keys(), ...is.keys()])) {
      const change = firstChange(is.get(type) ?? "", should.get(type) ?? "", "the recorded runs give");
      if (change !== undefined) return `output ${index + 1} (${type}): ${change}`;
    }
  }
  return undefined;
}

/** By type. Notebooks keep the keys of objects in the order of the alphabet. */
function flat(output: CellOutput): ReadonlyMap<string, string> {
  if ("text" in output) return new Map([["text", output.text]]);
  return new Map(
    Object.entries(output.data).map(([type, value]) => [
      type,
      typeof value === "string" ? value : JSON.stringify(withSortedKeys(value)),
    ]),
  );
}

/** The characters around the first that differs. */
function firstChange(is: string, should: string, giver: string): string | undefined {
  if (is.trimEnd() === should.trimEnd()) return undefined;
  let at = 0;
  while (at < is.length && is[at] === should[at]) at++;
  const around = (text: string) => text.slice(Math.max(0, at - 20), at + 20).replace(/\s+/g, " ");
  return `"${around(is)}" is written where ${giver} "${around(should)}"`;
}
