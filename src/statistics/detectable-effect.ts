import { noncentralTail } from "./noncentral-t";
import { studentQuantile } from "./student-t";

/** A paired t test before it is made. */
export interface PlannedTest {
  /** How many pairs, such as seeds, at least 2. */
  readonly pairs: number;
  /** Of one side: a two-sided test at 0.05 has 0.025. */
  readonly significance: number;
  /** The chance with which the effect is to be found. @default 0.8 */
  readonly power?: number;
}

/** The search takes milliseconds, and all tests of a table ask for the same. */
const known = new Map<string, number>();

/**
 * The smallest mean difference that a paired t test finds with the given power, in standard deviations of the differences.
 */
export function detectableEffect({ pairs, significance, power = 0.8 }: PlannedTest): number {
  const planned = [pairs, significance, power].join(", ");
  const effect = known.get(planned) ?? searchEffect(pairs, significance, power);
  known.set(planned, effect);
  return effect;
}

function searchEffect(pairs: number, significance: number, power: number): number {
  const freedom = pairs - 1;
  const critical = studentQuantile(1 - significance, freedom);
  const found = (effect: number) => noncentralTail(critical, freedom, effect * Math.sqrt(pairs)) >= power;
  let low = 0;
  let high = 1;
  while (!found(high)) high *= 2;
  for (let middle = (low + high) / 2; high - low > 1e-12 * high; middle = (low + high) / 2) {
    if (found(middle)) high = middle;
    else low = middle;
  }
  return high;
}
