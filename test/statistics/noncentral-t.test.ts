import { describe, expect, it } from "vitest";
import { noncentralTail } from "../../src/statistics/noncentral-t";
import { studentTail } from "../../src/statistics/student-t";
import { reference, relativeError } from "./reference";

describe("noncentralTail", () => {
  it.each(reference.noncentral)(
    "gives SciPy's tail above $t at $freedom degrees and noncentrality $noncentrality",
    ({ t, freedom, noncentrality, tail }) => {
      expect(relativeError(noncentralTail(t, freedom, noncentrality), tail)).toBeLessThan(1e-9);
    },
  );

  it("is Student's without an effect", () => {
    for (const freedom of [1, 2, 5, 200]) {
      expect(relativeError(noncentralTail(2.5, freedom, 0), studentTail(2.5, freedom))).toBeLessThan(1e-9);
    }
  });
});
