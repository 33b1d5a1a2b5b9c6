import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/engine/random";
import { detectableEffect } from "../../src/statistics/detectable-effect";
import { pOfDifferenceAbove } from "../../src/statistics/paired-t";
import { reference, relativeError } from "./reference";

describe("detectableEffect", () => {
  it.each(reference.detectable)(
    "is where SciPy finds power $power for $pairs pairs at significance $significance",
    ({ effect, ...planned }) => {
      expect(relativeError(detectableEffect(planned), effect)).toBeLessThan(1e-9);
    },
  );

  it("is found in four of five samples", () => {
    const effect = detectableEffect({ pairs: 5, significance: 0.025 });
    const random = randomStream(1, "detectable");
    const trials = 2000;
    let found = 0;
    for (let trial = 0; trial < trials; trial++) {
      const differences = Array.from({ length: 5 }, () => effect + random.normal());
      if (pOfDifferenceAbove(differences, [0, 0, 0, 0, 0], 0) < 0.025) found++;
    }
    // Three standard errors of the share.
    expect(Math.abs(found / trials - 0.8)).toBeLessThan(3 * Math.sqrt((0.8 * 0.2) / trials));
  });
});
