import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { projectRoot, pythonProgram } from "../../src/cli/project";
import { writeNotebook, type Cell } from "./notebook-file";

interface ExecutedNotebook {
  readonly cells: readonly { readonly execution_count: number | null; readonly outputs: readonly Output[] }[];
}
interface Output {
  readonly text?: string | readonly string[];
  readonly data?: Readonly<Record<string, unknown>>;
}

const folder = mkdtempSync(join(tmpdir(), "moco-notebook-"));
afterAll(() => rmSync(folder, { recursive: true }));

const parameters: Cell = [
  'const preset: string = "quick"; // how much to run\nconst seeds = 1;\nconst widths = [8];',
  "parameters",
];

interface Started {
  readonly child: ChildProcess;
  readonly text: () => string;
  readonly code: Promise<number | null>;
}

function start(program: string, options: readonly string[]): Started {
  return startProgram(pythonProgram(program), options);
}

function startProgram(program: string, options: readonly string[]): Started {
  const child = spawn(program, options, { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  child.stdout.on("data", (data) => (text += String(data)));
  child.stderr.on("data", (data) => (text += String(data)));
  return { child, text: () => text, code: new Promise((resolve) => child.on("close", resolve)) };
}

function startRunner(name: string, cells: readonly Cell[], ...options: string[]) {
  const output = join(folder, "runs", `${name}.ipynb`);
  const script = join(projectRoot, "kernel", "run_notebook.py");
  return { output, ...start("python", [script, writeNotebook(folder, name, cells), "--output", output, ...options]) };
}

async function runNotebook(name: string, cells: readonly Cell[], ...options: string[]) {
  const { text, code, output } = startRunner(name, cells, ...options);
  return { code: await code, text: text(), output };
}

function read(path: string): ExecutedNotebook {
  return JSON.parse(readFileSync(path, "utf8")) as ExecutedNotebook;
}

function printed(path: string): string {
  return read(path)
    .cells.flatMap((cell) => cell.outputs.map((output) => [output.text ?? ""].flat().join("")))
    .join("");
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe.concurrent("the notebook runner calls a broken notebook red, with the cell, the line and the message", () => {
  const broken: readonly { what: string; cells: readonly Cell[]; says: string; options?: readonly string[] }[] = [
    {
      what: "a throw",
      cells: [
        "interface Shape { width: number }\n\n// Lines without code.\nconst shape: Shape = { width: 8 };\nthrow new TypeError(`width ${shape.width}`);",
      ],
      says: "cell 1, line 5: TypeError: width 8",
    },
    {
      what: "a throw after an await",
      cells: [
        "type Name = string;\n\nawait new Promise((resolve) => setTimeout(resolve, 10));\nthrow new Error('later');",
      ],
      says: "cell 1, line 4: Error: later",
    },
    {
      what: "a throw in an earlier cell's function",
      cells: ["function fail() {\n  throw new Error('inside');\n}", "\nfail();"],
      says: "cell 2, line 2: Error: inside (thrown in cell 1, line 2)",
    },
    {
      what: "a type error",
      cells: ["const width: number = 8;", "\nconst name: string = width;"],
      says: "cell 2, line 2: CompileError: Type 'number' is not assignable to type 'string'.",
    },
    {
      what: "a late throw in a timer",
      cells: ["\nsetTimeout(() => {\n  throw new Error('late');\n}, 200);\n'shown'"],
      says: "cell 1, line 3: uncaught exception: Error: late",
    },
    {
      what: "a lost rejection",
      cells: ["async function lose() {\n  await null;\n  throw new Error('lost');\n}\nvoid lose();\n'shown'"],
      says: "cell 1, line 3: unhandled rejection: Error: lost",
    },
    {
      what: "a cell that is skipped",
      cells: ["1", ["2", "skip-execution"], "3"],
      says: "cell 2, line 1: the tag skip-execution hides failures",
    },
    {
      what: "a cell whose error would be let pass",
      cells: [["throw new Error('expected')", "raises-exception"], "2"],
      says: "cell 1, line 1: the tag raises-exception hides failures",
    },
    {
      what: "a process exit",
      cells: ["const code = 0;\nprocess.exit(code);"],
      says: "cell 1, line 2: Error: Cannot exit: process.exit(0)",
    },
    {
      what: "a kernel that dies",
      cells: ["1", "process.kill(process.pid, 'SIGKILL');\nawait new Promise((resolve) => setTimeout(resolve, 5000));"],
      says: "cell 2: the kernel died",
    },
    {
      what: "a cell that takes too long",
      cells: ["await new Promise((resolve) => setTimeout(resolve, 30000));"],
      says: "cell 1: the cell took longer than 2 seconds",
      options: ["--timeout", "2"],
    },
    { what: "an end that shows nothing", cells: ["1", "const two = 2;"], says: "cell 2: the last cell shows nothing" },
  ];

  for (const { what, cells, says, options = [] } of broken) {
    it(`for ${what}`, async () => {
      const name = what.replaceAll(/\W/g, "-");
      const { code, text, output } = await runNotebook(name, cells, ...options);
      expect(text).toContain(`${name}.ipynb, ${says}`);
      expect(code).toBe(1);
      expect(existsSync(output)).toBe(true);
    });
  }
});

describe.concurrent("the notebook runner", () => {
  const show =
    'import { stopRequested } from "moco-kit";\nconsole.log(preset, seeds + 1, widths.length, stopRequested());';

  it("runs a good notebook with parameters and writes what it executed", async () => {
    const given = JSON.stringify({ preset: "smoke", seeds: 3, widths: [4, 8] });
    const { code, text, output } = await runNotebook("good", [parameters, show], "--parameters", given);
    expect(text).toContain("smoke 4 2 false\n");
    expect(text).toContain("cell 3/3: import");
    expect(code).toBe(0);
    expect(printed(output)).toBe("smoke 4 2 false\n");
    expect(read(output).cells.map((cell) => cell.execution_count)).toEqual([1, 2, 3]);
  });

  it("refuses a parameter that the notebook does not have", async () => {
    const { code, text } = await runNotebook("unknown", [parameters, show], "--parameters", '{"seds": 3}');
    expect(text).toContain("Cannot set seds in unknown.ipynb: its parameters are preset, seeds, widths");
    expect(code).toBe(2);
  });

  it("says in one line where what was executed cannot be written", async () => {
    const inTheWay = join(folder, "runs", "unwritten.ipynb");
    const { code, text } = await runNotebook("unwritten", [
      `require("node:fs").mkdirSync(${JSON.stringify(inTheWay)}, { recursive: true });`,
    ]);
    expect(text).toMatch(/^Cannot write the executed notebook .*unwritten\.ipynb: .*What it has trained is kept\./m);
    expect(text).not.toContain("Traceback");
    expect(code).toBe(1);
  });

  it("runs without a HOME and with few open files", async () => {
    const source = writeNotebook(folder, "bare", ["console.log(process.env.HOME);"]);
    const output = join(folder, "runs", "bare.ipynb");
    const script = join(projectRoot, "kernel", "run_notebook.py");
    const run = 'ulimit -n 256 && unset HOME && exec "$0" "$@"';
    const { code, text } = startProgram("sh", ["-c", run, pythonProgram("python"), script, source, "--output", output]);
    expect(await code, text()).toBe(0);
    expect(printed(output)).toBe("undefined\n");
  });

  it("refuses to write over the folder of its source", async () => {
    const { code, text } = await runNotebook("beside", [show], "--output", join(folder, "other.ipynb"));
    expect(text).toContain("Cannot write the executed notebook beside its source");
    expect(code).toBe(2);
  });

  for (const [signal, expected] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    it(`lets a cell that asks for it stop by itself at ${signal}, and ends with ${expected}`, async () => {
      const loop = [
        'import { stopRequested } from "moco-kit";',
        'console.log("began", process.pid);',
        "while (!stopRequested()) await new Promise((resolve) => setTimeout(resolve, 10));",
        'console.log("stopped by itself");',
      ].join("\n");
      const { child, text, code, output } = startRunner(`stop-${signal}`, [loop, 'console.log("next cell")']);
      await until(() => text().includes("began"));
      child.kill(signal);
      expect(await code).toBe(expected);
      expect(printed(output)).toMatch(/began \d+\nstopped by itself\n$/);
    });
  }

  it("leaves no kernel behind when it is killed, even in a cell that never pauses", async () => {
    const { child, text, code } = startRunner("orphan", [
      'console.log("began", process.pid);\nawait new Promise((resolve) => setTimeout(resolve, 100));\nfor (;;);',
    ]);
    await until(() => /began \d+\n/.test(text()));
    const kernel = Number(/began (\d+)/.exec(text())![1]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(isAlive(kernel)).toBe(true);
    child.kill("SIGKILL");
    await code;
    await until(() => !isAlive(kernel));
  });
});

describe.concurrent("papermill", () => {
  it("passes parameters to a TypeScript notebook", async () => {
    const source = writeNotebook(folder, "papermill", [
      parameters,
      "console.log(preset, seeds + 1, widths.concat(1));",
    ]);
    const output = join(folder, "papermill-out.ipynb");
    const given = ["-p", "preset", "smoke", "-p", "seeds", "3", "-p", "widths", "[4, 8]"];
    const { code } = start("python", ["-m", "papermill", ...given, source, output]);
    expect(await code).toBe(0);
    expect(printed(output)).toContain("smoke 4 [ 4, 8, 1 ]");
  });

  it("refuses a value of another type than the notebook's", async () => {
    const source = writeNotebook(folder, "papermill-type", [
      ["const preset: string = 'quick';\nconst seeds: number = 1;", "parameters"],
      "console.log(preset, seeds);",
    ]);
    const given = ["-p", "preset", "smoke", "-p", "seeds", "many"];
    const { code, text } = start("python", [
      "-m",
      "papermill",
      ...given,
      source,
      join(folder, "papermill-type-out.ipynb"),
    ]);
    expect(await code).toBe(1);
    expect(text()).toContain("Type 'string' is not assignable to type 'number'.\n    at In[2]:3:7");
  });

  it("reports the error of a failed cell", async () => {
    const source = writeNotebook(folder, "papermill-broken", ["\nthrow new TypeError('boom');"]);
    const { code, text } = start("python", ["-m", "papermill", source, join(folder, "papermill-broken-out.ipynb")]);
    expect(await code).toBe(1);
    expect(text()).toContain("TypeError: boom\n    at In[1]:2:");
  });
});
