import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { citation } from "../../src/report/citation";

const root = join(__dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

interface Work {
  readonly title: string;
  readonly authors: readonly Readonly<Record<string, string>>[];
  readonly year?: number;
  readonly "collection-title"?: string;
}

interface CitationFile extends Work {
  readonly version: string;
  readonly license: string;
  readonly references: readonly Work[];
}

const file = parse(read("CITATION.cff")) as CitationFile;
// cff-1.2.0/LICENSE is of cffconvert 2.0.0, out of which the schema is.
const validate = new Ajv().compile(JSON.parse(read("test/report/cff-1.2.0/schema.json")) as object);

describe("CITATION.cff", () => {
  it("fits the schema of its version, which refuses what is none", () => {
    expect(validate(file), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...file, authors: [] })).toBe(false);
    expect(validate({ ...file, licence: "MIT" })).toBe(false);
  });

  it("names the same paper, kit, authors and version as moco cite and package.json", () => {
    const table = { id: "momentum", title: "Momentum", paper: "", rows: [], printed: {}, notes: [] };
    const cited = { table, preset: "quick", version: file.version, commit: undefined, hash: "0" };
    const [paper, kit] = JSON.parse(citation(cited, "csl-json")) as {
      title: string;
      author: { family?: string; given?: string; literal?: string }[];
      issued?: { "date-parts": number[][] };
      "container-title"?: string;
    }[];
    const { version, license } = JSON.parse(read("package.json")) as Record<string, string>;
    expect([file.version, file.license]).toEqual([version, license]);
    expect(kit!.title).toBe(file.title);
    expect(kit!.author).toEqual(file.authors.map(({ name }) => ({ literal: name })));
    const [published] = file.references;
    expect(paper).toMatchObject({
      title: published!.title,
      author: published!.authors.map((author) => ({ family: author["family-names"], given: author["given-names"] })),
      "container-title": published!["collection-title"],
      issued: { "date-parts": [[published!.year]] },
    });
  });
});
