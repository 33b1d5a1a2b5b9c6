import { expect, it } from "vitest";
import { projectRoot } from "../../src/cli/project";
import { askAbout } from "./run-cells";

const answers = askAbout([
  "const text = `abc",
  "const text = `abc\n\n\n",
  "const text = `abc ${1 +",
  "const text = `abc`;",
  "const = `abc`;",
  'import { createEncoder } from "moco-kit";\ncreateEncoder',
  'import { presetNamed } from "moco-kit";\nconst sizes = [presetNamed("quick',
  'import * as kit from "moco-kit";\nkit',
  "createEncodr",
  "createEncodr(",
]);

it("waits for the end of a template literal, which may hold empty lines", () => {
  expect(answers.slice(0, 5).map(({ complete }) => complete)).toEqual([
    "incomplete",
    "incomplete",
    "incomplete",
    "complete",
    "invalid",
  ]);
});

it("shows the documentation of a name without the marks of its links", () => {
  expect(answers[5]!.documentation).toMatch(
    /createEncoder[^]*\n\nA randomly initialized encoder, by torchvision's rules: see initialParameters\.$/,
  );
});

it("shows within the parentheses of a call the documentation of its function, with the names of tags", () => {
  expect(answers[6]!.documentation).toMatch(/presetNamed\(name: string\): Preset[^]*\n@throws InputError listing/);
});

it("names modules as a cell imports them", () => {
  expect(answers[7]!.documentation).toMatch(/import kit/);
  expect(answers[7]!.documentation).not.toContain(projectRoot);
});

it("knows nothing of a name that there is not", () => {
  expect(answers.slice(8).map(({ documentation }) => documentation)).toEqual([null, null]);
});
