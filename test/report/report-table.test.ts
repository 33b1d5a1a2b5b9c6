import { describe, expect, it } from "vitest";
import { csvTable, latexTable, markdownTable, type ReportTable } from "../../src/report/report-table";

const table: ReportTable = {
  id: "momentum",
  title: "Momentum of 5 % & more",
  paper: "section 4.1",
  rows: [
    { cells: { m: "0.9", accuracy: '46.5 [40.5, 52.4], "so"' }, runs: ["quick/a.json", "quick/b.json"] },
    { cells: { m: "θ | θ", accuracy: "−1\n×2" }, runs: [] },
  ],
  printed: {},
  notes: [],
};

describe("a table", () => {
  it("is Markdown as Prettier lays it out", () => {
    expect(markdownTable(table).split("\n")).toEqual([
      "| m      | accuracy                |",
      "| ------ | ----------------------- |",
      '| 0.9    | 46.5 [40.5, 52.4], "so" |',
      "| θ \\| θ | −1 ×2                   |",
    ]);
  });

  it("is CSV with the files of its runs", () => {
    expect(csvTable(table)).toBe(
      'm,accuracy,runs\r\n0.9,"46.5 [40.5, 52.4], ""so""",quick/a.json quick/b.json\r\nθ | θ,−1 ×2,\r\n',
    );
  });

  it("shows what strangers named harmlessly: no formula in CSV, no tag in Markdown, nothing that steers a terminal", () => {
    const named = (name: string): ReportTable => ({ ...table, rows: [{ cells: { name, "=1+1": "−1" }, runs: [] }] });
    expect(csvTable(named("=1+1")).split("\r\n")).toEqual(["name,'=1+1,runs", "'=1+1,−1,", ""]);
    for (const formula of ["@SUM(1)", "+cmd|x", "-A1"]) expect(csvTable(named(formula))).toContain(`\n'${formula},`);
    for (const number of ["+1.5", "-0.5", "-.5"]) expect(csvTable(named(number))).toContain(`\n${number},`);
    expect(markdownTable(named("<script>"))).toContain("| \\<script> |");
    expect(markdownTable(named("p < 0.05"))).toContain("| p < 0.05 |");
    expect(latexTable(named("\\input{x}"))).toContain("\\textbackslash{}input\\{x\\}");
    for (const write of [csvTable, markdownTable, latexTable]) {
      const text = write(named("a\u001b[2J\rb\u202e"));
      expect(text).toContain("2J b");
      // eslint-disable-next-line no-control-regex -- what must not be there
      expect(text).not.toMatch(/[\u001b\u202e]|\r(?!\n)/);
    }
  });

  it("is LaTeX with rules of booktabs and every special character escaped", () => {
    const text = latexTable(table);
    expect(text).toContain("\\caption{Momentum of 5 \\% \\& more (section 4.1).}");
    expect(text).toContain("\\begin{tabular}{ll}\n\\toprule\nm & accuracy \\\\\n\\midrule\n");
    expect(text).toContain("$\\theta$ | $\\theta$ & $-$1 $\\times$2 \\\\\n\\bottomrule");
  });
});
