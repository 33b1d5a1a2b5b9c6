/**
 * The quantile of Student's t distribution, by bisection of the closed form of its distribution function for a whole number
 * of degrees of freedom.
 *
 * @param probability - from 0.5 to below 1
 * @param freedom - degrees of freedom, a positive integer
 */
export function studentQuantile(probability: number, freedom: number): number {
  let low = 0;
  let high = 1;
  while (studentDistribution(high, freedom) < probability) high *= 2;
  for (let middle = high / 2; middle > low && middle < high; middle = (low + high) / 2) {
    if (studentDistribution(middle, freedom) < probability) low = middle;
    else high = middle;
  }
  return high;
}

/** P(T <= t) for t >= 0 (Abramowitz and Stegun, 1964, formulas 26.7.3 and 26.7.4). */
function studentDistribution(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = freedom % 2 === 1;
  // Each term is the one before it times cosine^2 (n - 1) / n, for n = 3, 5, ... or 2, 4, ... up to freedom - 2.
  let term = odd ? cosine : 1;
  let sum = 0;
  for (let n = odd ? 3 : 2; n <= freedom; n += 2) {
    sum += term;
    term *= (cosine ** 2 * (n - 1)) / n;
  }
  const inside = odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
  return (1 + inside) / 2;
}
