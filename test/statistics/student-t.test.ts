import { describe, expect, it } from "vitest";
import { studentQuantile, studentTail } from "../../src/statistics/student-t";
import { reference, relativeError } from "./reference";

describe("studentQuantile", () => {
  it.each(reference.student.quantiles)("gives SciPy's $probability quantile at $freedom degrees", (expected) => {
    const quantile = studentQuantile(expected.probability, expected.freedom);
    expect(relativeError(quantile, expected.quantile)).toBeLessThan(1e-9);
  });
});

describe("studentTail", () => {
  it.each(reference.student.tails)("gives SciPy's tail above $t at $freedom degrees", ({ t, freedom, tail }) => {
    expect(relativeError(studentTail(t, freedom), tail)).toBeLessThan(1e-9);
  });

  it("is 0 at infinity and 1 below everything", () => {
    expect(studentTail(Infinity, 4)).toBe(0);
    expect(studentTail(-Infinity, 4)).toBe(1);
  });

  it("refuses degrees of freedom that are no positive integer", () => {
    expect(() => studentTail(1, 0)).toThrow("must be a positive integer, current value is 0");
    expect(() => studentTail(1, 2.5)).toThrow("current value is 2.5");
  });
});
