import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pythonProgram } from "../../src/cli/project";
import { InputError } from "../../src/errors";
import { changeBytes, changedFiles } from "../strangers/changed-bytes";
import { changeJson, jsonChanges, jsonText } from "../strangers/changed-json";
import { everyCaseEndsWell, strangersTimeout } from "../strangers/ends-well";
import { writeNotebook } from "./notebook-file";

let folder: string;
let python: ChildProcessWithoutNullStreams;
let lines: AsyncIterator<string>;
let original: Buffer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "moco-strangers-"));
  const parameters = 'const preset: string = "quick"; // how much\nconst seeds = 1;\nconst widths = [8];';
  original = readFileSync(writeNotebook(folder, "whole", [[parameters, "parameters"], "preset"]));
  python = spawn(pythonProgram("python"), [join(__dirname, "strangers_parameters.py")]);
  lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  // The time of a case is the reader's, not that in which Python starts.
  await load(original, "{}");
}, 120_000);
afterAll(() => {
  python.stdin.end();
  rmSync(folder, { recursive: true });
});

/** The code cells of a notebook with parameters put in. */
async function load(notebook: string | Buffer, parameters: string): Promise<readonly string[]> {
  const path = join(folder, "strange.ipynb");
  writeFileSync(path, notebook);
  python.stdin.write(`{"path": ${JSON.stringify(path)}, "parameters": ${parameters}}\n`);
  const answer = JSON.parse((await lines.next()).value as string) as {
    readonly cells?: readonly string[];
    readonly refused?: string;
    readonly crashed?: string;
  };
  if (answer.refused !== undefined) throw new InputError(answer.refused);
  if (answer.cells === undefined) throw new Error(answer.crashed);
  return answer.cells;
}

const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(
    '"; process.exit(); "',
    "*/",
    "</script>",
    "\u2028",
    "\ud800",
    "${1}",
    "[1, 2]",
    '{"a": 1}',
    "[".repeat(5000),
  ),
);

describe("parameters of notebooks of strangers", () => {
  it(
    "stand in the notebook as the values that they are, or end in an error that names them",
    { timeout: strangersTimeout },
    () =>
      everyCaseEndsWell({
        reader: "notebook parameters",
        cases: fc.dictionary(
          fc.oneof(
            { weight: 9, arbitrary: fc.constantFrom("preset", "seeds", "widths") },
            fc.constantFrom("__proto__", "a b", "", "x=1;//"),
          ),
          value,
          { minKeys: 1, maxKeys: 2 },
        ),
        short: 20,
        read: (parameters) => load(original, JSON.stringify(parameters)),
        names: /^Cannot set .* in strange\.ipynb: its parameters are preset, seeds, widths/s,
        check: (cells, parameters) => {
          expect(cells).toHaveLength(3);
          for (const [name, given] of Object.entries(parameters)) {
            const source = cells[1]!.replaceAll(/^const (\w+): (?:any|string) = /gm, "const $1 = ");
            const got: unknown = runInNewContext(`${source}\nJSON.stringify(${name})`, Object.create(null) as object);
            // A list or an object that was given as text is written as one.
            expect([JSON.stringify(given), asOne(given)]).toContain(got);
          }
        },
      }),
  );
});

function asOne(given: unknown): string | undefined {
  try {
    return typeof given === "string" && /^[[{]/.test(given) ? JSON.stringify(JSON.parse(given)) : undefined;
  } catch {
    return undefined;
  }
}

describe("notebooks of strangers", () => {
  it("with changed values end in cells or in an error that names the file", { timeout: strangersTimeout }, () =>
    everyCaseEndsWell({
      reader: "notebooks, values changed",
      cases: fc.tuple(jsonChanges, fc.boolean()),
      short: 20,
      read: ([changes, withParameter]) => {
        const text = jsonText(changeJson(JSON.parse(original.toString()), changes));
        return load(text, withParameter ? '{"seeds": 2}' : "{}");
      },
      names: /strange\.ipynb|^the tag /,
    }),
  );

  it("with changed bytes end so too", { timeout: strangersTimeout }, () =>
    everyCaseEndsWell({
      reader: "notebooks, bytes changed",
      cases: changedFiles(1),
      short: 20,
      read: ({ changes }) => load(changeBytes(original, changes), '{"seeds": 2}'),
      names: /strange\.ipynb|^the tag /,
    }),
  );
});
