import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/cli/project";
import { runCells } from "./run-cells";

describe("a failed cell", () => {
  const answers = runCells([
    "function recipe(o: { learningRate: number; steps?: number }) {\n  return o;\n}",
    "\n  recipe({ learningRat: 0.03 });",
    "const deep: { a: { b: number } } = { a: { b: 'text' } };",
    "const one: number = '1';\nconst two: string = 2;",
    'import { datasetByName } from "moco-kit";\nimport { retrain } from "moco-kit";',
    'import { readFileSync } from "node:fs";\nfunction read(name: string) {\n  return readFileSync(name);\n}',
    "\nread('missing-file');",
    "await null;\nthrow new RangeError('outer', { cause: new TypeError('inner') });",
    "throw 'only text';",
    "/** @module broken */\nexport const wrong: number = 'text';",
    "process.exit(3);",
    '({\n  [Symbol.for("nodejs.util.inspect.custom")]() {\n    throw new Error("no text");\n  },\n})',
    "throw new Error('class <b>\\u001b[2J\\u202egnp, \\u001b[31mred\\u001b[0m');",
    'presetNamed("quick").minutes;\nconst kept: Recipe | undefined = undefined;\npresetNames2;',
    `const wide: { ${Array.from({ length: 30 }, (_, i) => `property${i}: number`).join("; ")} } = 5;`,
  ]);
  const error = (cell: number) => answers[cell - 1]!.errors[0]!;

  it("sends one error message and writes nothing beside it", () => {
    for (const { status, errors, stdout, stderr } of answers.filter((_, index) => ![0, 5].includes(index))) {
      expect({ status, errors: errors.length, stdout, stderr }).toEqual({
        status: "error",
        errors: 1,
        stdout: "",
        stderr: "",
      });
    }
  });

  it("says a type error once, the suggestion first, with the line and the column", () => {
    expect(error(2).ename).toBe("CompileError");
    expect(error(2).traceback).toEqual([
      "CompileError: Did you mean learningRate? 'learningRat' does not exist in type '{ learningRate: number; steps?: number; }'.",
      "    at In[2]:2:12",
    ]);
  });

  it("names the property that a type error is about and leaves out the types around it", () => {
    expect(error(3).evalue).toBe("Type 'string' is not assignable to type 'number'.");
    const { evalue } = error(15);
    expect(evalue).toMatch(/^Type 'number' is not assignable to type '\{ property0: number; .*…'\.$/);
    expect(evalue.length).toBeLessThan(150);
  });

  it("says how to import a name that the kit has", () => {
    expect(error(14).traceback).toEqual([
      `CompileError: Cannot find name 'presetNamed': write import { presetNamed } from "moco-kit" before it`,
      "    at In[14]:1:1",
      `CompileError: Cannot find name 'Recipe': write import { Recipe } from "moco-kit" before it`,
      "    at In[14]:2:13",
      "CompileError: Cannot find name 'presetNames2'.",
      "    at In[14]:3:1",
    ]);
  });

  it("shows what would steer a terminal, and keeps colors", () => {
    const shown = "class <b>\\u001b[2J\\u202egnp, \u001b[31mred\u001b[0m";
    expect(error(13)).toMatchObject({ ename: "Error", evalue: shown });
    expect(error(13).traceback[0]).toBe(`Error: ${shown}`);
  });

  it("lists each type error of the cell", () => {
    expect(error(4).traceback).toEqual([
      "CompileError: Type 'string' is not assignable to type 'number'.",
      "    at In[4]:1:7",
      "CompileError: Type 'number' is not assignable to type 'string'.",
      "    at In[4]:2:7",
    ]);
    expect(error(10).traceback[0]).toBe("CompileError: Type 'string' is not assignable to type 'number'.");
  });

  it("says a thrown error by its message and the lines of cells, without files of the kernel", () => {
    expect(error(7)).toEqual({
      ename: "Error",
      evalue: "ENOENT: no such file or directory, open 'missing-file'",
      traceback: [
        "Error: ENOENT: no such file or directory, open 'missing-file'",
        expect.stringMatching(/^ {4}at read \(In\[6\]:3:\d+\)$/),
        expect.stringMatching(/^ {4}at In\[7\]:2:\d+$/),
      ],
    });
    expect(error(8).traceback).toEqual([
      "RangeError: outer",
      expect.stringMatching(/^ {4}at In\[8\]:2:\d+$/),
      "Caused by TypeError: inner",
      expect.stringMatching(/^ {4}at In\[8\]:2:\d+$/),
    ]);
    expect(error(12).traceback).toEqual(["Error: no text", expect.stringMatching(/In\[12\]:3:/)]);
    expect(error(9)).toMatchObject({ ename: "Thrown value", evalue: "only text" });
    expect(JSON.stringify(answers)).not.toMatch(/node_modules|kernel\/|node:internal/);
  });
});

describe("an error that was awaited", () => {
  const answers = runCells([
    'import { loadData, parseDataName } from "moco-kit";\nimport { stat } from "node:fs/promises";',
    "\nawait stat('/nowhere');",
    "const name = parseDataName('folder:/nowhere');\n// Missing.\nawait loadData(name);",
    "async function look(path: string) {\n  await null;\n  return (await stat(path)).size;\n}",
    "\n\nawait look('/nowhere');",
    "await stat('/nowhere').catch(() => undefined);\nthrow 'only text';",
    "async function fail() {\n  await null;\n  throw new Error('no');\n}",
    "\nawait fail();",
  ]);
  const places = answers.map(({ errors }) => (errors[0]?.traceback ?? []).filter((line) => /^ +at /.test(line)));

  it("names the line of the await where its own stack has none", () => {
    expect(places[1]).toEqual(["    at In[2]:2:1"]);
    expect(places[2]![0]).toMatch(/^ {4}at In\[3\]:3:/);
  });

  it("names the functions on the way, and the cell that awaited them", () => {
    expect(places[4]).toEqual([expect.stringMatching(/^ {4}at async look \(In\[4\]:3:\d+\)$/), "    at In[5]:3:1"]);
    expect(places[7]).toEqual([expect.stringMatching(/^ {4}at fail \(In\[7\]:3:\d+\)$/), "    at In[8]:2:1"]);
  });

  it("names no line for what has no place", () => {
    expect(answers[5]!.errors[0]!.traceback).toEqual(["Thrown value: only text"]);
  });
});

describe("an error from deep within", () => {
  const answers = runCells([
    'const call = new Function("self", "n", "if (n === 0) throw new Error(\'deep\'); self(self, n - 1);");',
    "\ncall(call, 40);",
    "function again(n: number): number {\n  return again(n + 1) + 1;\n}\nagain(0);",
    "await Promise.any([Promise.reject(new Error('one')), Promise.reject(new TypeError('other'))]);",
    "console.trace('seen');",
  ]);

  it("names the cell, however many calls of libraries lie between", () => {
    expect(answers[1]!.errors[0]!.traceback).toEqual(["Error: deep", "    at In[2]:2:1"]);
  });

  it("names few of many calls", () => {
    expect(answers[2]!.errors[0]!.traceback).toHaveLength(11);
  });

  it("names all that it stands for", () => {
    const { traceback } = answers[3]!.errors[0]!;
    expect(traceback.filter((line) => !/^ +at /.test(line))).toEqual([
      "AggregateError: All promises were rejected",
      "Caused by Error: one",
      "Caused by TypeError: other",
    ]);
  });

  it("is not needed to print the calls", () => {
    expect(answers[4]!.stderr).toMatch(/^Trace: seen\n {4}at In\[5\]:1:\d+\n$/);
  });
});

describe("a cell that does not compile", () => {
  // Own files are found in the project's folder.
  const folder = mkdtempSync(join(projectRoot, "test", "kernel", "own-"));
  writeFileSync(join(folder, "broken.ts"), "export function add(a number, b: number) {\n  return a + b;\n}\n");
  writeFileSync(join(folder, "wrong.ts"), "export const f: (x: number) => string =\n  (x: string) => x;\n");
  const answers = runCells(
    [
      'import { add } from "./broken";\nadd(1, 2);',
      "const = 3;\nconst text: nmber = 4;",
      'import { add } from "./brokn";',
      'import "node:fs"; import { ad } from "../own-file";',
      "const worker: Worker = {};",
      "await Promise.resolve();\nconst fs = await import('node:fs');",
      'import { loadData } from "moco-kit";\nawait loadData("emoij");',
      'import { f } from "./wrong";',
      'import { fail } from "../own-file"; const text: string = fail;',
      'import own from "../own-file";',
      "\nfunction open(a: number, {",
      "const text = `abc",
      'import * as kit from "moco-kit";\nkit.presetNmaed;',
      'import { DataFrame } from "danfojs-node";\nconst frame: typeof import("danfojs-node") = DataFrame;',
    ],
    folder,
  );
  rmSync(folder, { recursive: true });
  const said = answers.map(({ errors }) => errors[0]!.traceback);

  it("is told its errors of syntax alone, as the others follow from them, and where they are", () => {
    expect(said[0]).toEqual(["CompileError: ',' expected.", `    at test/kernel/${basename(folder)}/broken.ts:1:23`]);
    expect(said[1]!.join()).not.toMatch(/nmber/);
  });

  it("is told of an own file by the path that it wrote", () => {
    expect(said[2]![0]).toBe("CompileError: Cannot find module './brokn' or its corresponding type declarations.");
    expect(said[3]![0]).toBe(`CompileError: Module '"../own-file"' has no exported member 'ad'.`);
  });

  it("is told of a type that there is not before what later cells cannot be told", () => {
    expect(said[4]![0]).toBe("CompileError: Cannot find name 'Worker'.");
    expect(said[5]![0]).toMatch(/^CompileError: Cannot keep 'fs' for later cells/);
  });

  it("is told which texts a function takes", () => {
    expect(said[6]).toEqual([
      'CompileError: Cannot take "emoij" here: it must be one of "emoji", "cifar10", `folder:${string}`',
      "    at In[7]:2:16",
    ]);
  });

  it("is told the file of an explanation of several lines", () => {
    expect(said[7]!.at(-1)).toBe(`    at test/kernel/${basename(folder)}/wrong.ts:1:14`);
  });

  it("is told the column behind an own file's path", () => {
    expect(said[8]![1]).toBe("    at In[9]:1:43");
  });

  it("is told of no place and no line that is not the cell's", () => {
    expect(said[10]).toEqual(["CompileError: '}' expected.", "    at In[11]:2:27"]);
    expect(said[11]).toEqual(["CompileError: Unterminated template literal.", "    at In[12]:1:18"]);
  });

  it("is told of modules by the names that it imports", () => {
    expect(said[9]!.join()).toContain(`Module '"../own-file"' has no default export.`);
    expect(said[12]![0]).toBe(
      `CompileError: Did you mean presetNamed? Property 'presetNmaed' does not exist on type 'typeof import("moco-kit")'.`,
    );
    expect(said[13]![0]).not.toContain(projectRoot);
  });
});

describe("a cell that wants what only other notebooks and terminals have", () => {
  const answers = runCells([
    "\n%timeit 1 + 1",
    "%%bash\nls",
    "!ls",
    "!pip install -r requirements.txt",
    "const b = true;\n!redy && b;",
    "const a = 7\n% 4;\na",
    'import { createInterface } from "node:readline/promises";\nawait createInterface({ input: process.stdin }).question("name? ");',
  ]);
  const said = answers.map(({ errors }) => errors[0]?.traceback);

  it("is told by one sentence what to write", () => {
    const magics = "cells are TypeScript and have no magics; performance.now() measures time";
    expect(said[0]).toEqual([`CompileError: Cannot run %timeit: ${magics}`, "    at In[1]:2:1"]);
    expect(said[1]![0]).toBe(`CompileError: Cannot run %%bash: ${magics}`);
    const shell = 'cells are TypeScript; call execSync of "node:child_process" for a command of the shell';
    expect(said[2]).toEqual([`CompileError: Cannot run !ls: ${shell}`, "    at In[3]:1:2"]);
    expect(said[3]![0]).toBe(`CompileError: Cannot run !pip: ${shell}`);
    expect(said[6]).toEqual([
      "Error: Cannot read process.stdin: a notebook has no keyboard input; put what you would type into the cell",
      expect.stringMatching(/^ {4}at In\[7\]:2:/),
    ]);
  });

  it("keeps the operators ! and %", () => {
    expect(said[4]![0]).toBe("CompileError: Cannot find name 'redy'.");
    expect(answers[5]!.result).toBe("3");
  });
});

describe("a failure that no cell waits for", () => {
  it("fails the cell that runs, or else the next one, and says where it came from", () => {
    const answers = runCells([
      "async function lose() {\n  throw new Error('lost');\n}\nvoid lose();",
      "setTimeout(() => {\n  throw new TypeError('late');\n}, 50);\nawait new Promise((resolve) => setTimeout(resolve, 200));",
      "setTimeout(() => {\n  throw new TypeError('after');\n}, 400);",
      "console.log('waited');\nawait new Promise((resolve) => setTimeout(resolve, 1000));",
      "console.log('good again');",
      "setTimeout(() => void lose(), 200);",
      "require('node:child_process').execSync('sleep 0.3');",
      "console.log('good in the end');",
    ]);
    expect(answers.map(({ status }) => status)).toEqual(["error", "error", "ok", "error", "ok", "ok", "error", "ok"]);
    expect(answers[0]!.errors[0]!.traceback).toEqual([
      "unhandled rejection: Error: lost",
      expect.stringMatching(/In\[1\]:2:/),
      expect.stringMatching(/In\[1\]:4:/),
    ]);
    expect(answers[1]!.errors[0]!.traceback).toEqual([
      "uncaught exception: TypeError: late",
      expect.stringMatching(/In\[2\]:2:/),
    ]);
    expect(answers[3]!.errors[0]!.traceback[0]).toBe("uncaught exception: TypeError: after");
    expect(answers[3]!.errors[0]!.traceback[1]).toMatch(/In\[3\]:2:/);
  });
});
