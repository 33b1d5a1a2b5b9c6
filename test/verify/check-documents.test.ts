import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { acceptDocuments, checkDocuments, documents, isQuick } from "../../src/verify/check-documents";
import { checkStatedNumbers, statedNumbersFile } from "../../src/verify/stated-numbers";

const root = join(__dirname, "../..");
const long = process.env["MOCO_TEST_LONG"] === "1";

describe("the documents of the kit", () => {
  it(
    "have the tables, numbers and figure that the recorded runs give",
    async () => {
      expect(await checkDocuments({ project: root, ...(!long && { wanted: isQuick }) })).toEqual([]);
    },
    long ? 900_000 : 120_000,
  );
});

describe("checkDocuments", () => {
  let project: string;
  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), "moco-documents-"));
    mkdirSync(join(project, "docs"));
    symlinkSync(join(root, "results"), join(project, "results"));
    for (const name of [...documents, "docs/two-engines.svg", statedNumbersFile]) {
      cpSync(join(root, name), join(project, name));
    }
  });
  afterAll(() => rmSync(project, { recursive: true }));
  // The comparison of two engines is the quickest to compute.
  const check = () => checkDocuments({ project, wanted: (name) => name === "two-engines" });

  it("names the line of an altered digit in a computed table, in prose, and in the figure", async () => {
    expect(await check()).toEqual([]);
    const alter = async (name: string, from: RegExp) => {
      const path = join(project, name);
      const text = readFileSync(path, "utf8");
      writeFileSync(
        path,
        text.replace(from, (whole) => whole.replace(/\d(?=\D*$)/, (digit) => String((Number(digit) + 1) % 10))),
      );
      const found = await check();
      writeFileSync(path, text);
      return found.map(({ level, where, what }) => `${level}: ${where}: ${what}`);
    };
    expect(await alter("REPRODUCE.md", /^\| 5 +\| \d\.\d+/m)).toEqual([
      expect.stringMatching(
        /^fault: REPRODUCE\.md, results "two-engines", line \d+: ".*" is written where the recorded runs give "/,
      ),
    ]);
    expect(await alter("README.md", /about 2,300 drawings/)).toEqual([
      expect.stringMatching(
        /^fault: README\.md, "Two commands", line \d+: the number 2,301 was 2,300 when it was written down/,
      ),
    ]);
    expect(await alter("docs/two-engines.svg", /\d/)).toHaveLength(1);
  });

  it("asks for the source of a section that is new, once its numbers are written down", async () => {
    const path = join(project, "README.md");
    writeFileSync(path, `${readFileSync(path, "utf8")}\n## New\n\nIt takes 3 minutes.\n`);
    expect(await check()).toEqual([
      expect.objectContaining({ where: expect.stringMatching(/^README\.md, "New", line \d+$/) as string }),
    ]);
    acceptDocuments(project);
    expect(await check()).toEqual([
      { level: "fault", where: 'README.md, "New"', what: `its numbers have no source in ${statedNumbersFile}` },
    ]);
  });
});

describe("checkStatedNumbers", () => {
  const text = "# A\n\nK = 64 and 1,024.\n\n<!-- results: x -->\n| 7 |\n<!-- end of results -->\n";
  it("leaves computed parts alone, and finds a number more, one less, and a section that is gone", () => {
    const stated = (numbers: string) => ({ "a.md": { A: { source: "settings", numbers } } });
    expect(checkStatedNumbers("a.md", text, stated("64 1,024"))).toEqual([]);
    for (const other of ["64", "64 1,024 3", "46 1,024"]) {
      expect(checkStatedNumbers("a.md", text, stated(other))).toHaveLength(1);
    }
    expect(checkStatedNumbers("a.md", "# B\n", stated("64"))[0]!.where).toBe('a.md, "A"');
  });
});
