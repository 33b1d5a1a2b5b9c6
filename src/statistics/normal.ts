/** From where on the continued fraction is taken; the series loses digits in the tail. */
const farOut = 3;

/** P(X > x) of the standard normal distribution, accurate also far out. */
export function normalTail(x: number): number {
  if (x < 0) return 1 - normalTail(-x);
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (x >= farOut) {
    // Laplace's: density / (x + 1 / (x + 2 / (x + ...))) (Abramowitz and Stegun, 1964, formula 26.2.14).
    let fraction = x;
    for (let n = 80; n >= 1; n--) fraction = x + n / fraction;
    return density / fraction;
  }
  // Formula 26.2.11: 1/2 - density (x + x^3 / 3 + x^5 / (3 * 5) + ...).
  let sum = 0;
  for (let term = x, n = 3; sum + term !== sum; n += 2) {
    sum += term;
    term *= (x * x) / n;
  }
  return 0.5 - density * sum;
}
