import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { integerFrom, positiveNumber } from "../../src/cli/numbers";
import { parseSetting, recipeFrom, withSettings } from "../../src/cli/recipe-flags";
import { parseDetectionRecipe } from "../../src/detection/detection-recipe";
import { InputError } from "../../src/errors";
import { detectionPreset } from "../../src/recipes/detection-presets";
import { parseRecipe } from "../../src/train/recipe";
import { recipeHash } from "../../src/train/recipe-hash";
import { changeBytes, changedFiles } from "../strangers/changed-bytes";
import { changeJson, jsonChanges, jsonText } from "../strangers/changed-json";
import { everyCaseEndsWell, strangersTimeout } from "../strangers/ends-well";
import { tinyMethods } from "../train/tiny";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "moco-strangers-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What is taken is plain data of finite numbers: it comes back from JSON as it is. */
function expectPlain(recipe: object): void {
  expect(JSON.parse(JSON.stringify(recipe))).toEqual(JSON.parse(JSON.stringify(recipe, finite)));
  expect(Object.getPrototypeOf(recipe)).toBe(Object.prototype);
}

function finite(name: string, value: unknown): unknown {
  if (typeof value === "number") expect(Number.isFinite(value), name).toBe(true);
  return value;
}

const recipes = tinyMethods();
/** A message that names the file, or the field. */
const refusal = /^Cannot .*(recipe|batch|groups|chunk|schedule|milestones|queue|K |images)/;

describe("recipes of strangers", () => {
  const read = (text: string | Buffer) => {
    const file = join(folder, "recipe.json");
    writeFileSync(file, text);
    return parseRecipe(recipeFrom({ preset: "quick", file }, []));
  };

  it("with changed values end in a recipe or in an error that names the field", { timeout: strangersTimeout }, () =>
    everyCaseEndsWell({
      reader: "recipes, values changed",
      cases: fc.tuple(fc.constantFrom(...recipes), jsonChanges),
      short: 80,
      read: ([recipe, changes]) => read(jsonText(changeJson(recipe, changes))),
      names: refusal,
      check: (recipe) => {
        expectPlain(recipe);
        expect(parseRecipe(JSON.parse(JSON.stringify(recipe)))).toEqual(recipe);
        expect(recipeHash(recipe)).toMatch(/^[0-9a-f]{12}$/);
      },
    }),
  );

  it("with changed bytes end so too", { timeout: strangersTimeout }, () => {
    const files = recipes.map((recipe) => Buffer.from(JSON.stringify(recipe)));
    return everyCaseEndsWell({
      reader: "recipes, bytes changed",
      cases: changedFiles(files.length),
      short: 40,
      read: ({ file, changes }) => read(changeBytes(files[file]!, changes)),
      names: refusal,
      check: expectPlain,
    });
  });

  it("of detectors end so too", { timeout: strangersTimeout }, () =>
    everyCaseEndsWell({
      reader: "recipes of detectors, values changed",
      cases: fc.tuple(fc.constantFrom("smoke", "quick-fpn"), jsonChanges),
      short: 40,
      read: ([preset, changes]) => {
        const file = join(folder, "detector.json");
        writeFileSync(file, jsonText(changeJson(detectionPreset(preset), changes)));
        return parseDetectionRecipe(recipeFrom({ preset: "quick", file }, []));
      },
      names: refusal,
      check: expectPlain,
    }),
  );
});

const numbers = [
  "0",
  "1",
  "-1",
  "-0",
  "0.5",
  "1e3",
  "1e999",
  "-1e999",
  "1e-400",
  "NaN",
  "Infinity",
  "0x10",
  "0b1",
  "0o7",
];
const texts = [
  ...[
    ...numbers,
    "9007199254740993",
    "",
    " ",
    " 5",
    "5 ",
    "1_000",
    "1,5",
    "１",
    "null",
    "true",
    "[]",
    "[1]",
    "{}",
    '"1"',
  ],
  ...["__proto__", "\u001b[2J", "\u202e", "a\nb", "[".repeat(100_000), '{"a":'.repeat(1000)],
];

describe("--set of strangers", () => {
  const fields = [
    ...["epochs", "learningRate", "batchSize", "bnGroups", "imageSize", "name", "encoder", "method", "schedule"],
    ...[
      "encoder.width",
      "method.queueSize",
      "method.temperature",
      "method.kind",
      "schedule.milestones",
      "optimizer.momentum",
    ],
    ...[
      "__proto__",
      "__proto__.epochs",
      "constructor.prototype.x",
      "toString",
      "encoder.__proto__.width",
      ".",
      "a.",
      "",
      "=",
      "a".repeat(3000),
    ],
  ];
  const setting = fc.tuple(fc.constantFrom(...fields), fc.oneof(fc.constantFrom(...texts), fc.json({ maxDepth: 2 })));

  it("ends in a recipe or in an error that names the field", { timeout: strangersTimeout }, () =>
    everyCaseEndsWell({
      reader: "--set",
      cases: fc.oneof(fc.tuple(setting), fc.array(setting, { minLength: 1, maxLength: 3 })),
      short: 80,
      read: (given) => {
        const settings = given.map(([field, text]) => parseSetting(`${field}=${text}`));
        return parseRecipe(withSettings(recipes[0], settings));
      },
      names: /recipe|batch|groups|schedule|milestones|K /,
      check: (recipe) => {
        expectPlain(recipe);
        expect(({} as Record<string, unknown>)["epochs"]).toBeUndefined();
      },
    }),
  );
});

describe("numbers of flags of strangers", () => {
  /** As the command line refuses them. */
  const asInput = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      if (error instanceof InvalidArgumentError) throw new InputError(error.message);
      throw error;
    }
  };

  it("end in a number written in decimal, or in the range", { timeout: strangersTimeout }, () =>
    everyCaseEndsWell({
      reader: "numbers of flags",
      cases: fc.tuple(fc.oneof(fc.constantFrom(...texts), fc.double().map(String), fc.string()), fc.boolean()),
      short: 200,
      read: ([text, whole]) => asInput(() => (whole ? integerFrom(0, 1e9)(text) : positiveNumber(text))),
      names: /^It must be (an integer of at least 0 and at most 1000000000|a positive number)\.$/,
      check: (value, [text, whole]) => {
        expect(text).toMatch(/^[+\d.][\d.]*(e[+-]?\d+)?$/i);
        expect(value).toBe(Number.parseFloat(text));
        if (whole)
          expect(Number.isSafeInteger(value) && value >= 0 && value <= 1e9 && !Object.is(value, -0)).toBe(true);
        else expect(value > 0 && value < Infinity).toBe(true);
      },
    }),
  );
});
