import { describe, expect, it } from "vitest";
import { runCells } from "./run-cells";

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

describe("the kernel", () => {
  it("is busy until an awaited cell has ended, also after it has answered something else", () => {
    const [answer] = runCells([
      {
        source: "console.log('began');\nawait new Promise((resolve) => setTimeout(resolve, 1000));",
        during: "ask",
      },
    ]);
    expect(answer!.states).toEqual(["busy", "busy", "idle", "busy", "idle"]);
  });

  it("sends all of a long output", () => {
    const [answer] = runCells(["for (let line = 0; line < 5000; line++) console.log(line);"]);
    expect(answer!.stdout).toBe(Array.from({ length: 5000 }, (_, line) => `${line}\n`).join(""));
  });
});
