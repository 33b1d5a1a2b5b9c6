import { expect, it } from "vitest";
import { printable } from "../../src/files/printable";
import { tableBundle } from "../../src/display/table";

it("names of strangers neither steer a terminal nor turn its text", () => {
  expect(printable("dog\u001b[2J\u0007")).toBe("dog\\u001b[2J\\u0007");
  expect(printable("a\u202egnp.exe")).toBe("a\\u202egnp.exe");
  expect(printable("Hündin, 犬,\ttwo\nlines")).toBe("Hündin, 犬,\ttwo\nlines");
});

it("a table shows them harmlessly, as text and as HTML", () => {
  const { "text/plain": text, "text/html": html } = tableBundle([{ "<script>": "\u001b]0;title\u0007" }]);
  expect(text).toContain("\\u001b]0;title\\u0007");
  expect(html).toContain('<th style="text-align:left">&lt;script&gt;</th>');
});
