import { readFileSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/cli/project";
import { kernelInfo, runCells, runTogether } from "./run-cells";

const readJson = (path: string) =>
  JSON.parse(readFileSync(join(projectRoot, path), "utf8")) as { readonly version: string };

describe("names of earlier cells", () => {
  it("can stand as shorthand properties, imported ones too, and in assignments that take objects apart", () => {
    const answers = runCells([
      'import { basename } from "node:path";\nconst b = 2;\nlet c = 3;\nfunction f() {\n  return 4;\n}\nclass K {}',
      "console.log(JSON.stringify({ a: 1, b, c, inner: { b } }), { f }.f(), { K }.K.name);",
      'console.log(((o: { basename: typeof basename; b: number }) => o.basename("x/y") + o.b)({ basename, b }));',
      "({ c } = { c: 5 });\nconsole.log(c);",
      "({ c = 7 } = {} as { c?: number });\nconst inCell = 1;\nconsole.log(JSON.stringify({ c, inCell }));",
      "const later = (b: number) => ({ b, c });\nconsole.log(JSON.stringify(later(9)));",
    ]);
    expect(answers.map(({ stdout, stderr }) => stdout + stderr)).toEqual([
      "",
      '{"a":1,"b":2,"c":3,"inner":{"b":2}} 4 K\n',
      "y2\n",
      "5\n",
      '{"c":7,"inCell":1}\n',
      '{"b":9,"c":7}\n',
    ]);
  });
});

describe("names of a cell that failed or was stopped", () => {
  it("stay known when they got a value, and else are what they were before", () => {
    const answers = runCells([
      "const kept = 1;\nlet type = 'text';",
      'import { basename } from "node:path";\nimport { ParsedPath, parse } from "node:path";\ninterface Shape {\n  width: number;\n}\nconst reached: Shape = { width: 2 }, other: ParsedPath = parse("/x");\nconst type = 5;\nfunction double(x: number) {\n  return 2 * x;\n}\nclass Box {}\nif (reached.width > 1) throw new Error("no");\nconst kept = "new", late = 3;',
      'const shape: Shape = reached;\nconst path: ParsedPath = other;\nconsole.log(basename("a/b"), shape.width, type + 1, double(4), new Box(), kept + 1, path.root);',
      "late",
      {
        source:
          "let count = 0;\nfor (;;) {\n  count += 1;\n  console.log('began');\n  await new Promise((resolve) => setTimeout(resolve, 20));\n}",
        during: "interrupt",
      },
      "count > 0",
      "const worse: number = 'text';",
      'console.log(basename("c/d"), double(1));',
    ]);
    expect(answers.map(({ status }) => status)).toEqual(["ok", "error", "ok", "error", "error", "ok", "error", "ok"]);
    expect(answers[2]!.stdout).toBe("b 2 6 8 Box {} 2 /\n");
    expect(answers[3]!.errors[0]!.evalue).toBe("Cannot find name 'late'.");
    expect(answers[5]!.result).toBe("true");
    expect(answers[7]!.stdout).toBe("d 2\n");
  });

  it("stay known beside those of own files", () => {
    const [, answer] = runCells(
      ['import { fail } from "./own-file";\nconst kept = 1;\nfail();', "kept + fail.length"],
      join(projectRoot, "test", "kernel"),
    );
    expect(answer!.result).toBe("1");
  });
});

describe("a variable of an earlier cell", () => {
  it("is the same for functions of earlier cells and for later cells, also one of several taken out of an object", () => {
    const answers = runCells([
      "let a = 1;\nlet { b, c: [d] } = { b: 2, c: [3] };\nlet alone = 4;\nfunction read() {\n  return [a, b, d];\n}\nfunction count() {\n  a += 1;\n}\nlet inClass = 1;\nclass Reader {\n  value = inClass;\n}",
      "a = 10;\nd = 30;\nalone += 1;\ninClass = 2;\ncount();\nconsole.log(read(), a, b, d, alone, new Reader().value);",
    ]);
    expect(answers[1]!.stdout).toBe("[ 11, 2, 30 ] 11 2 30 5 2\n");
  });
});

describe("a file beside the notebook", () => {
  it("is refused by a sentence when the notebook lies outside the project", () => {
    const [answer, other] = runCells(
      ['import "node:fs";\nimport { own } from "./own-file";', "const text: string = 1;"],
      tmpdir(),
    );
    expect(other!.errors[0]!.evalue).toBe("Type 'number' is not assignable to type 'string'.");
    expect(answer!.errors[0]!.traceback).toEqual([
      `CompileError: Cannot import ./own-file: files beside a notebook are found when it lies in the project's folder, current value is ${realpathSync(tmpdir())}`,
      "    at In[1]:2:21",
    ]);
  });

  it("is named where an error came through it", () => {
    const [answer] = runCells(['import { fail } from "./own-file";\nfail();'], join(projectRoot, "test", "kernel"));
    expect(answer!.errors[0]!.traceback).toEqual([
      "Error: failed",
      "    at fail (test/kernel/own-file.ts:4:9)",
      expect.stringMatching(/^ {4}at In\[1\]:2:/),
    ]);
  });
});

describe("__dirname", () => {
  it("is the notebook's folder, also for what a cell left running", () => {
    const folder = join(projectRoot, "test", "kernel");
    const answers = runCells(
      ["const folder = async () => (await null, __dirname);\nconsole.log(__dirname);", "console.log(await folder());"],
      folder,
    );
    expect(answers.map(({ stdout }) => stdout)).toEqual([`${folder}\n`, `${folder}\n`]);
  });
});

describe("the kernel", () => {
  it("tells its own version and that of the TypeScript which compiles cells", () => {
    const { version } = readJson("package.json");
    const typescript = readJson("node_modules/@tslab/typescript-for-tslab/package.json");
    expect(kernelInfo()).toMatchObject({
      implementation: "moco-kit",
      implementation_version: version,
      language_info: { name: "typescript", version: typescript.version, file_extension: ".ts" },
    });
  });

  it("is busy until an awaited cell has ended, also after it has answered something else", () => {
    const [answer] = runCells([
      {
        source: "console.log('began');\nawait new Promise((resolve) => setTimeout(resolve, 1000));",
        during: "ask",
      },
    ]);
    expect(answer!.states).toEqual(["busy", "busy", "idle", "busy", "idle"]);
  });

  it("does not run the cells that wait behind a failed one, and runs those that come after its reply", () => {
    const cells = ["1", "throw new Error('broken');", "console.log('third');", "console.log('fourth');"];
    expect(runTogether(cells, { stopOnError: true })).toEqual(["ok", "error", "aborted", "aborted"]);
    expect(runTogether(cells, { stopOnError: false })).toEqual(["ok", "error", "ok", "ok"]);
    expect(runCells(["throw new Error('broken');", "1"]).map(({ status }) => status)).toEqual(["error", "ok"]);
  });
});

describe("what a cell sends", () => {
  const [text, object, nothing, mixed, waiting, long] = runCells([
    "console.log('text');\n'text'",
    "await Promise.resolve({ a: [1] })",
    "undefined",
    'import { display } from "tslab";\nprocess.stdout.write("a");\nprocess.stdout.write("b");\ndisplay.html("<b>c</b>");\nprocess.stderr.write("d");\nprocess.stdout.write("e");\n7',
    "await new Promise<void>((resolve) => process.stdout.write('written', () => resolve()));",
    "for (let line = 0; line < 5000; line++) console.log(line);",
  ]);

  it("has the value of the last expression as its result", () => {
    expect([text, object, nothing].map((answer) => [answer!.stdout, answer!.result])).toEqual([
      ["text\n", "'text'"],
      ["", "{ a: [ 1 ] }"],
      ["", null],
    ]);
  });

  it("shows promises and timers without what the kernel hangs on them, and tells of a forgotten await", () => {
    const answers = runCells([
      "const late = async () => 4;\nlate()",
      "const all = { waiting: new Promise(() => {}), [Symbol('own')]: 1 };\nconsole.log(all);\nall",
      "new Promise(() => {})",
      "console.log(setImmediate(() => {}));\nsetTimeout(() => {}, 10)",
    ]);
    const waiting = "{ waiting: Promise { <pending> }, [Symbol(own)]: 1 }";
    expect(answers.map(({ stdout, result }) => [stdout, result])).toEqual([
      ["", "Promise { 4 }\nPut await before it to get its value."],
      [`${waiting}\n`, waiting],
      ["", "Promise { <pending> }\nPut await before it to get its value."],
      ["Immediate {}\n", "Timeout {}"],
    ]);
  });

  it("shows a DataFrame of danfojs as a table, or its first rows", () => {
    const [frame, long, series] = runCells([
      'import { DataFrame } from "danfojs-node";\nconst frame = new DataFrame([{ k: 1, accuracy: 2.5 }, { k: 2, accuracy: 3.5 }]);\nframe',
      "new DataFrame(Array.from({ length: 50 }, (_, row) => ({ row })))",
      "frame.column('accuracy')",
    ]);
    expect(frame!.result).toMatch(/│ k │ accuracy │\n[^]*│ 2 │ 3.5 {6}│/);
    expect(long!.result).toMatch(/^The first 20 of 50 rows\n[^]*│ 19 {2}│\n└─+┘$/);
    expect(series!.result).toMatch(/│ accuracy │\n[^]*│ 3.5 {6}│/);
  });

  it("shows tensors with their type, shape and values, or the first of many", () => {
    const answers = runCells([
      'import { tf } from "moco-kit";\ntf.tensor2d([1, 2, 3, 4], [2, 2])',
      "console.log(tf.range(0, 1000));",
      "({ weight: tf.zeros([64, 3, 7, 7]) })",
    ]);
    expect(answers.map(({ stdout, result }) => result ?? stdout)).toEqual([
      "Tensor float32 [2, 2]:\n    [[1, 2],\n     [3, 4]]",
      "Tensor float32 [1000], begins with:\n    [0, 1, 2, 3, 4, 5]\n",
      "{ weight: Tensor float32 [64, 3, 7, 7] }",
    ]);
  });

  it("keeps the order of what is written and shown", () => {
    expect(mixed!.order.filter((kind, index, all) => kind !== all[index - 1])).toEqual([
      "execute_input",
      "stdout",
      "display_data",
      "stderr",
      "stdout",
      "execute_result",
    ]);
    expect([mixed!.stdout, mixed!.stderr]).toEqual(["abe", "d"]);
  });

  it("tells code that waits for it when it is written", () => {
    expect([waiting!.status, waiting!.stdout]).toEqual(["ok", "written"]);
  });

  it("holds all of a long output, in few messages", () => {
    expect(long!.stdout).toBe(Array.from({ length: 5000 }, (_, line) => `${line}\n`).join(""));
    expect(long!.order.length).toBeLessThan(100);
  });
});
