import { describe, expect, it } from "vitest";
import { holm } from "../../src/statistics/holm";
import { reference } from "./reference";

describe("holm", () => {
  it.each(reference.holm)("adjusts $p as statsmodels does", ({ p, adjusted }) => {
    const found = holm(p);
    expect(found).toHaveLength(adjusted.length);
    found.forEach((value, index) => expect(value).toBeCloseTo(adjusted[index]!, 12));
  });

  it("adjusts nothing where there are no tests", () => {
    expect(holm([])).toEqual([]);
  });
});
