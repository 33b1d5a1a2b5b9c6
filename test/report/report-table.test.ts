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

  it("is LaTeX with rules of booktabs and every special character escaped", () => {
    const text = latexTable(table);
    expect(text).toContain("\\caption{Momentum of 5 \\% \\& more (section 4.1).}");
    expect(text).toContain("\\begin{tabular}{ll}\n\\toprule\nm & accuracy \\\\\n\\midrule\n");
    expect(text).toContain("$\\theta$ | $\\theta$ & $-$1 $\\times$2 \\\\\n\\bottomrule");
  });
});
