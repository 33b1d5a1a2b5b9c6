import { expect, it } from "vitest";
import { askAbout } from "./run-cells";

const answers = askAbout([
  "const text = `abc",
  "const text = `abc\n\n\n",
  "const text = `abc ${1 +",
  "const text = `abc`;",
  "const = `abc`;",
  'import { createEncoder } from "moco-kit";\ncreateEncoder',
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
