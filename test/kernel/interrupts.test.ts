import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/cli/project";
import { runCells } from "./run-cells";

const start = "const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));\nlet steps = 0;";
const stillRuns = "const before = steps;\nawait sleep(300);\nconsole.log(steps - before);";
const interrupted = (source: string) => ({ source, during: "interrupt" as const });

describe("an interrupt", () => {
  it("stops an awaited loop, one in a function of an earlier cell and one over an async generator", () => {
    const answers = runCells([
      start,
      interrupted("for (;;) {\n  steps += 1;\n  console.log('step');\n  await sleep(20);\n}"),
      stillRuns,
      "const state = { count: 0 };\nasync function forever() {\n  for (;;) {\n    state.count += 1;\n    await sleep(20);\n  }\n}",
      interrupted("console.log('began');\nawait forever();"),
      "const counted = state.count;\nawait sleep(300);\nconsole.log(state.count - counted);",
      interrupted(
        'import { on, EventEmitter } from "node:events";\nconst ticks = new EventEmitter();\nconst clock = setInterval(() => ticks.emit("tick"), 20);\nfor await (const tick of on(ticks, "tick")) {\n  state.count += 1;\n  console.log("tick");\n}',
      ),
      "const ticked = state.count;\nawait sleep(300);\nconsole.log(state.count - ticked);",
    ]);
    expect(answers.map(({ status }) => status)).toEqual(["ok", "error", "ok", "ok", "error", "ok", "error", "ok"]);
    expect([1, 4, 6].map((cell) => answers[cell]!.errors)).toEqual(
      Array.from({ length: 3 }, () => [
        {
          ename: "Interrupted",
          evalue: "the cell was stopped; what it began stops at its next await",
          traceback: ["Interrupted: the cell was stopped; what it began stops at its next await"],
        },
      ]),
    );
    expect([2, 5, 7].map((cell) => answers[cell]!.stdout)).toEqual(["0\n", "0\n", "0\n"]);
  });

  it("stops an awaited loop of an own file", () => {
    const answers = runCells(
      [
        start,
        'import { repeat } from "./own-file";',
        interrupted("await repeat(() => {\n  steps += 1;\n  console.log('step');\n});"),
        stillRuns,
      ],
      join(projectRoot, "test", "kernel"),
    );
    expect(answers.map(({ status }) => status)).toEqual(["ok", "ok", "error", "ok"]);
    expect(answers[3]!.stdout).toBe("0\n");
  });

  it("ends a loop that catches the error by which it is stopped", () => {
    const [, stopped, after] = runCells([
      "let count = 0;\nconst wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));",
      {
        source:
          "for (;;) {\n  try {\n    count += 1;\n    if (count === 1) console.log('began');\n    await null;\n  } catch {}\n}",
        during: "interrupt",
      },
      "await wait(500);\nconst before = count;\nawait wait(500);\ncount - before",
    ]);
    expect(stopped!.errors[0]!.ename).toBe("Interrupted");
    expect(after!.result).toBe("0");
  });

  it("lets a cell that asks for it stop by itself, and ends it at the second", () => {
    const ask = 'import { stopRequested } from "moco-kit";\nconsole.log("began");\n';
    const answers = runCells([
      start,
      interrupted(`${ask}while (!stopRequested()) await sleep(20);\nconsole.log("stopped by itself");`),
      {
        source: `${ask}for (;;) {\n  steps += 1;\n  await sleep(stopRequested() ? 10 : 20);\n}`,
        during: "interrupt twice",
      },
      stillRuns,
    ]);
    expect(answers.map(({ status }) => status)).toEqual(["ok", "ok", "error", "ok"]);
    expect(answers[1]!.stdout).toBe("began\nstopped by itself\n");
    expect(answers[2]!.errors[0]!.ename).toBe("Interrupted");
    expect(answers[3]!.stdout).toBe("0\n");
  });

  it("stops a synchronous loop", () => {
    const [answer] = runCells([interrupted("console.log('began');\nfor (;;);")]);
    expect(answer!.errors.map(({ traceback }) => traceback[0])).toEqual([
      "Interrupted: the cell was stopped in a synchronous stretch",
    ]);
  });

  it("waits for the end of a synchronous stretch between awaits, and says so", () => {
    const [answer] = runCells([
      interrupted(
        "await new Promise((resolve) => setTimeout(resolve, 300));\nconsole.log('began');\nconst end = Date.now() + 3000;\nwhile (Date.now() < end);\nawait new Promise(() => {});",
      ),
    ]);
    expect(answer!.errors[0]!.evalue).toBe(
      "the cell was stopped after a synchronous stretch of 3 s, which no interrupt ends; put an await into it",
    );
  });

  it("that came in a synchronous stretch stops at the next await, also of what is there already", () => {
    const answers = runCells([
      interrupted(
        "await null;\nconsole.log('began');\nconst end = Date.now() + 2000;\nwhile (Date.now() < end);\nawait null;\nconsole.log('unreached');",
      ),
      interrupted("console.log('began');\nfor (;;) await null;"),
      interrupted(
        "console.log('began');\nfor (;;) {\n  try {\n    await Promise.reject(new Error('again'));\n  } catch {\n    await null;\n  }\n}",
      ),
    ]);
    expect(answers.map(({ stdout, errors }) => [stdout, errors[0]!.ename])).toEqual(
      Array.from({ length: 3 }, () => ["began\n", "Interrupted"]),
    );
  });

  it("stops a loop of an earlier cell when no cell runs, and leaves it running when one does", () => {
    const answers = runCells([
      `${start}\nasync function background() {\n  for (;;) {\n    steps += 1;\n    await sleep(20);\n  }\n}\nvoid background();\nconsole.log("began");`,
      interrupted("console.log('began');\nawait sleep(60_000);"),
      "const first = steps;\nawait sleep(300);\nconsole.log(steps > first);",
      { source: "console.log('idle next');", during: "interrupt afterwards" },
      "await sleep(100);",
      stillRuns,
      "void background();\nconst second = steps;\nawait sleep(300);\nconsole.log(steps > second);",
    ]);
    expect(answers.map(({ status }) => status)).toEqual(["ok", "error", "ok", "ok", "ok", "ok", "ok"]);
    expect([2, 5, 6].map((cell) => answers[cell]!.stdout)).toEqual(["true\n", "0\n", "true\n"]);
  });
});
