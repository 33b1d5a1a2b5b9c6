import { InputError } from "../errors";

/**
 * The quantile of Student's t distribution, by bisection of its tail.
 *
 * @param probability - from 0.5 to below 1
 * @param freedom - degrees of freedom, a positive integer
 */
export function studentQuantile(probability: number, freedom: number): number {
  const above = 1 - probability;
  let low = 0;
  let high = 1;
  while (studentTail(high, freedom) > above) high *= 2;
  for (let middle = high / 2; middle > low && middle < high; middle = (low + high) / 2) {
    if (studentTail(middle, freedom) > above) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * P(T > t) of Student's t distribution, accurate also far out.
 *
 * @param freedom - degrees of freedom, a positive integer
 * @throws InputError if freedom is none
 */
export function studentTail(t: number, freedom: number): number {
  if (!Number.isInteger(freedom) || freedom < 1) {
    throw new InputError(
      `Cannot use Student's t: degrees of freedom must be a positive integer, current value is ${freedom}`,
    );
  }
  if (t < 0) return 1 - studentTail(-t, freedom);
  if (t === Infinity) return 0;
  // P(|T| <= t) in closed form (Abramowitz and Stegun, 1964, formulas 26.7.3 and 26.7.4).
  const length = Math.hypot(t, Math.sqrt(freedom));
  const [sine, cosine] = [t / length, Math.sqrt(freedom) / length];
  const odd = freedom % 2 === 1;
  const scale = odd ? (2 / Math.PI) * sine : sine;
  // Each term is the one before it times cosine^2 (n - 1) / n, for n = 3, 5, ... or 2, 4, ... up to freedom - 2.
  let term = odd ? cosine : 1;
  let sum = 0;
  let n = odd ? 3 : 2;
  for (; n <= freedom; n += 2) {
    sum += term;
    term *= (cosine ** 2 * (n - 1)) / n;
  }
  const inside = (odd ? (2 / Math.PI) * Math.atan(t / Math.sqrt(freedom)) : 0) + scale * sum;
  if (inside < 0.5) return (1 - inside) / 2;
  // With all of the terms up to infinity P would be 1: those that are left out are the tails. No digits cancel.
  let rest = 0;
  for (; term > 1e-17 * rest; n += 2) {
    rest += term;
    term *= (cosine ** 2 * (n - 1)) / n;
  }
  return (scale * rest) / 2;
}
