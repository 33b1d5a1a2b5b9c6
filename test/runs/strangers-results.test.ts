import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromCocoResults } from "../../src/detection/data/results-json";
import type { DetectionSet } from "../../src/detection/structures/detection-set";
import { checksumOf, withChecksum } from "../../src/files/checked-json";
import { readDetectorRun } from "../../src/runs/run-detector";
import { readRunRecord, writeRunRecord } from "../../src/runs/run-record";
import { detectionPreset } from "../../src/recipes/detection-presets";
import { changeBytes, changedFiles } from "../strangers/changed-bytes";
import { changeJson, jsonChanges, jsonText } from "../strangers/changed-json";
import { everyCaseEndsWell, strangersTimeout } from "../strangers/ends-well";
import { tinyRecipe } from "../train/tiny";
import { exampleDetectorRun } from "./example-detector-run";
import { exampleRun } from "./example-run";

let folder: string;
let files: readonly { readonly bytes: Buffer; readonly read: () => object | undefined }[];
const path = () => join(folder, "run.json");

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "moco-strangers-"));
  const { curve, ...run } = exampleRun(tinyRecipe(), 1, 30);
  writeRunRecord(path(), { ...run, curve: curve.slice(0, 3) });
  files = [
    { bytes: readFileSync(path()), read: () => readRunRecord(path()) },
    {
      bytes: Buffer.from(JSON.stringify(withChecksum(exampleDetectorRun(detectionPreset("smoke"), 1)))),
      read: () => readDetectorRun(path()),
    },
  ];
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A changed record with the checksum of what it became, as somebody writes who knows how. */
function sealed(text: string): string {
  try {
    const content: unknown = JSON.parse(text);
    return typeof content === "object" && content !== null && !Array.isArray(content)
      ? `${text.slice(0, -1)}${text === "{}" ? "" : ","}"sha256":"${checksumOf(content)}"}`
      : text;
  } catch {
    return text;
  }
}

describe("records of runs of strangers", () => {
  it(
    "with changed values and the right checksum end in a record or in an error that names the file",
    { timeout: strangersTimeout },
    () =>
      everyCaseEndsWell({
        reader: "run.json of encoders and detectors, values changed",
        cases: fc.tuple(fc.nat(1), jsonChanges),
        short: 40,
        read: ([file, changes]) => {
          const { bytes, read } = files[file]!;
          const { sha256: _, ...content } = JSON.parse(bytes.toString()) as Record<string, unknown>;
          writeFileSync(path(), sealed(jsonText(changeJson(content, changes))));
          return read();
        },
        names: path(),
        check: (record) => expect(record).toBeTypeOf("object"),
      }),
  );

  it("with changed bytes are what they were, or end so too", { timeout: strangersTimeout }, () => {
    const before = new Map<number, object | undefined>();
    const readAs = (file: number, bytes: Buffer) => {
      writeFileSync(path(), bytes);
      return files[file]!.read();
    };
    return everyCaseEndsWell({
      reader: "run.json of encoders and detectors, bytes changed",
      cases: changedFiles(2),
      short: 30,
      read: ({ file, changes }) => {
        if (!before.has(file)) before.set(file, readAs(file, files[file]!.bytes));
        return readAs(file, changeBytes(files[file]!.bytes, changes));
      },
      names: path(),
      check: (record, { file }) => expect(record).toEqual(before.get(file)),
    });
  });
});

describe("detections of strangers", () => {
  const set: DetectionSet = {
    name: "tiny",
    categories: [
      { id: 1, name: "dog" },
      { id: 7, name: "__proto__" },
    ],
    images: [{ id: 1, fileName: "1.png", width: 6, height: 4, objects: [] }],
    readPixels: () => Promise.reject(new Error("not read")),
  };
  const results = [
    { image_id: 1, category_id: 1, bbox: [1, 1, 2, 2], score: 0.5 },
    { image_id: 1, category_id: 7, score: 0.25, segmentation: { size: [4, 6], counts: "5220;" } },
  ];

  it(
    "with changed values end in detections or in an error that names file and entry",
    { timeout: strangersTimeout },
    () =>
      everyCaseEndsWell({
        reader: "detections in COCO's results format, values changed",
        cases: jsonChanges,
        short: 60,
        read: (changes) => {
          const text = jsonText(changeJson(results, changes));
          let json: unknown;
          try {
            json = JSON.parse(text);
          } catch {
            json = text;
          }
          return fromCocoResults(set, json, "results.json");
        },
        names: "results.json",
        check: (detections) => {
          for (const { box, score, category, imageId } of detections) {
            expect([...box, score].every(Number.isFinite)).toBe(true);
            expect(set.categories[category]).toBeDefined();
            expect(imageId).toBe(1);
          }
        },
      }),
  );
});
