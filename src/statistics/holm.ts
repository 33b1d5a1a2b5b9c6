/**
 * Holm's adjustment for several tests (Holm, 1979): with these p, the chance that any true null hypothesis falls below a
 * level is at most that level.
 *
 * @returns adjusted p in the order given
 */
export function holm(p: readonly number[]): number[] {
  const order = [...p.keys()].sort((a, b) => p[a]! - p[b]!);
  const adjusted = [...p];
  let least = 0;
  order.forEach((test, before) => {
    least = Math.max(least, Math.min(1, (p.length - before) * p[test]!));
    adjusted[test] = least;
  });
  return adjusted;
}
