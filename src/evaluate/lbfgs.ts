/** A function and its gradient at one point. */
export interface Evaluated {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** Where a minimization ended. */
export interface Minimum {
  readonly point: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** Whether the gradient's norm fell to `tolerance`. */
  readonly converged: boolean;
}

/** When to stop. */
export interface LbfgsOptions {
  /** Stop when the gradient has at most this Euclidean norm. */
  readonly tolerance: number;
  /** Stop after this many iterations, converged or not. */
  readonly maxIterations: number;
}

/** Pairs of steps and gradient changes that approximate the curvature. */
const HISTORY = 10;
/** A step must reach this share of the decrease that the slope promises (Armijo). */
const SUFFICIENT_DECREASE = 1e-4;
/**
 * Rounding in the value, relative, for functions computed in float32: near a minimum the decrease of a step is smaller than
 * this, and the slope at the step's end decides instead (approximate Wolfe condition of Hager and Zhang, 2005).
 */
const VALUE_ROUNDING = 1e-7;
const MAX_HALVINGS = 30;

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  /** change . step */
  readonly curvature: number;
}

/**
 * Minimizes a smooth convex function by L-BFGS (Nocedal and Wright, "Numerical Optimization", 2006, algorithm 7.5) with a
 * backtracking line search.
 *
 * @param evaluate - the function; may compute in float32
 * @param start - left unchanged
 */
export function lbfgs(
  evaluate: (point: Float64Array) => Evaluated,
  start: Float64Array,
  { tolerance, maxIterations }: LbfgsOptions,
): Minimum {
  const history: Pair[] = [];
  let point = start;
  let here = evaluate(point);
  let iterations = 0;
  while (norm(here.gradient) > tolerance && iterations < maxIterations) {
    const direction = descentDirection(here.gradient, history);
    const next = lineSearch(evaluate, point, here, direction);
    if (next === undefined) {
      // Rounding hides any further decrease along an approximate direction: try the plain gradient once, then stop.
      if (history.length === 0) break;
      history.length = 0;
      continue;
    }
    const step = plus(next.point, -1, point);
    const change = plus(next.here.gradient, -1, here.gradient);
    const curvature = dot(step, change);
    if (curvature > 0) history.push({ step, change, curvature });
    if (history.length > HISTORY) history.shift();
    ({ point, here } = next);
    iterations++;
  }
  return { point, value: here.value, iterations, converged: norm(here.gradient) <= tolerance };
}

/** The two-loop recursion: minus the approximate inverse Hessian times the gradient. */
function descentDirection(gradient: Float64Array, history: readonly Pair[]): Float64Array {
  const direction = scaled(gradient, -1);
  const latest = history.at(-1);
  // Without curvature the first step has length at most 1.
  if (latest === undefined) return scaled(direction, 1 / Math.max(1, norm(gradient)));
  const weights = new Map<Pair, number>();
  for (const pair of [...history].reverse()) {
    const weight = dot(pair.step, direction) / pair.curvature;
    weights.set(pair, weight);
    add(direction, -weight, pair.change);
  }
  const estimate = scaled(direction, latest.curvature / dot(latest.change, latest.change));
  for (const pair of history) {
    add(estimate, weights.get(pair)! - dot(pair.change, estimate) / pair.curvature, pair.step);
  }
  return estimate;
}

/** Halves the step, from 1, until it decreases the function enough; undefined if none does. */
function lineSearch(
  evaluate: (point: Float64Array) => Evaluated,
  point: Float64Array,
  here: Evaluated,
  direction: Float64Array,
): { readonly point: Float64Array; readonly here: Evaluated } | undefined {
  const slope = dot(here.gradient, direction);
  const rounding = VALUE_ROUNDING * Math.abs(here.value);
  let length = 1;
  for (let halvings = 0; halvings < MAX_HALVINGS; halvings++) {
    const end = plus(point, length, direction);
    const there = evaluate(end);
    if (there.value <= here.value + SUFFICIENT_DECREASE * length * slope) return { point: end, here: there };
    const endSlope = dot(there.gradient, direction);
    if (there.value <= here.value + rounding && endSlope <= (2 * SUFFICIENT_DECREASE - 1) * slope) {
      return { point: end, here: there };
    }
    length /= 2;
  }
  return undefined;
}

/** a + factor * b */
function plus(a: Float64Array, factor: number, b: Float64Array): Float64Array {
  const sum = a.slice();
  add(sum, factor, b);
  return sum;
}

/** Adds factor * b to a, in place. */
function add(a: Float64Array, factor: number, b: Float64Array): void {
  for (let at = 0; at < a.length; at++) a[at]! += factor * b[at]!;
}

function scaled(a: Float64Array, factor: number): Float64Array {
  const product = new Float64Array(a.length);
  add(product, factor, a);
  return product;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
}

function norm(a: Float64Array): number {
  return Math.sqrt(dot(a, a));
}
