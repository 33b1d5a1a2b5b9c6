import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../src/cli/project";
import { runCells } from "./run-cells";

const codeIn = (markdown: string) => [...markdown.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);

it("does what each row of the table in docs/kernel.md says", () => {
  const rows = readFileSync(join(projectRoot, "docs", "kernel.md"), "utf8")
    .split("\n")
    .filter((line) => /^\|.*(works|refused)/.test(line))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((column) => column.trim()),
    )
    .map(([what, cells, result]) => ({
      what,
      cells: codeIn(cells!),
      expected: { status: /^works/.test(result!) ? "ok" : "error", says: codeIn(result!).at(-1)! },
    }));
  expect(rows.length).toBeGreaterThan(20);

  const cells = rows.flatMap((row) => row.cells);
  const answers = runCells(cells, join(projectRoot, "test", "kernel"));
  let end = 0;
  const said = rows.map((row) => {
    end += row.cells.length;
    const { status, stdout, errors } = answers[end - 1]!;
    const says =
      status === "ok" ? stdout.trimEnd().split("\n").at(-1) : errors[0]!.traceback[0]!.replace(/^\w*Error: /, "");
    return { what: row.what, status, says };
  });
  expect(said).toEqual(rows.map(({ what, expected }) => ({ what, ...expected })));
});
