import { normalTail } from "./normal";

/** How far below its peak the logarithm of a weight is when it no longer counts. */
const negligible = 40;

/**
 * P(T > t) of the noncentral t distribution: of (Z + noncentrality) / S, with Z standard normal and S^2 chi-square over its
 * degrees of freedom. What a t statistic follows when there is an effect.
 *
 * The integral over s = e^u of P(Z > t s - noncentrality) by the trapezoidal rule, which for a smooth integrand that vanishes
 * at both ends has an error that falls exponentially with the number of steps.
 *
 * @param freedom - degrees of freedom, a positive integer
 */
export function noncentralTail(t: number, freedom: number, noncentrality: number): number {
  const step = 0.2 / Math.max(2, Math.sqrt(freedom), Math.abs(noncentrality));
  let inside = 0;
  let all = 0;
  const add = (u: number): boolean => {
    // The logarithm of the density of u, but for a constant; largest at u = 0.
    const weight = freedom * (u - Math.expm1(2 * u) / 2);
    inside += Math.exp(weight) * normalTail(t * Math.exp(u) - noncentrality);
    all += Math.exp(weight);
    return weight > -negligible;
  };
  for (let at = 0; add(at * step); at++);
  for (let at = -1; add(at * step); at--);
  return inside / all;
}
