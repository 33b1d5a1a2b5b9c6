import { describe, expect, it } from "vitest";
import { normalTail } from "../../src/statistics/normal";
import { reference, relativeError } from "./reference";

describe("normalTail", () => {
  it.each(reference.normal)("gives SciPy's tail above $x", ({ x, tail }) => {
    expect(relativeError(normalTail(x), tail)).toBeLessThan(1e-9);
  });

  it("has no step where the series gives way to the fraction", () => {
    expect(relativeError(normalTail(3 - 1e-12), normalTail(3))).toBeLessThan(1e-11);
  });
});
