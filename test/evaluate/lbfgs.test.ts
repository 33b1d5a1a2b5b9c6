import { describe, expect, it } from "vitest";
import { lbfgs } from "../../src/evaluate/lbfgs";

/** Half the sum of curvature * (x - target)^2, with curvatures from 1 to 1,000. */
function bowl(point: Float64Array) {
  const offsets = point.map((value, at) => value - (at + 1));
  const gradient = offsets.map((offset, at) => 10 ** at * offset);
  return { value: offsets.reduce((sum, offset, at) => sum + (gradient[at]! * offset) / 2, 0), gradient };
}

describe("lbfgs", () => {
  it("finds the minimum of an ill-conditioned bowl and leaves the start as it was", () => {
    const start = new Float64Array(4);
    const minimum = lbfgs(bowl, start, { tolerance: 1e-8, maxIterations: 100 });
    expect(minimum.converged).toBe(true);
    expect(minimum.iterations).toBeLessThan(40);
    minimum.point.forEach((value, at) => expect(value).toBeCloseTo(at + 1, 7));
    expect([...start]).toEqual([0, 0, 0, 0]);
  });

  it("does nothing at the minimum", () => {
    const minimum = lbfgs(bowl, Float64Array.of(1, 2, 3, 4), { tolerance: 1e-8, maxIterations: 100 });
    expect(minimum).toMatchObject({ value: 0, iterations: 0, converged: true });
  });

  it("says so when it was stopped before it converged", () => {
    const minimum = lbfgs(bowl, new Float64Array(4), { tolerance: 1e-8, maxIterations: 3 });
    expect(minimum).toMatchObject({ iterations: 3, converged: false });
  });

  it("gives up, and says so, where rounding hides the way down", () => {
    const rounded = (point: Float64Array) => ({ value: 1000 * Math.abs(point[0]!) + 1, gradient: Float64Array.of(1) });
    const minimum = lbfgs(rounded, Float64Array.of(0), { tolerance: 1e-8, maxIterations: 100 });
    expect(minimum).toMatchObject({ value: 1, converged: false });
  });
});
