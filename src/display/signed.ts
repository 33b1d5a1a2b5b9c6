/** How a difference is written: times `scale`, which is 100 for a share in points. */
interface Form {
  /** @default 1 */
  readonly scale?: number;
  /** @default 1 */
  readonly digits?: number;
}

/** A difference with its sign, a true minus: "+0.7", "−1.3". */
export function signed(value: number, { scale = 1, digits = 1 }: Form = {}): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(scale * value).toFixed(digits)}`;
}

/** A difference with its interval: "−1.3 [−2.7, +0.1]". */
export function signedInterval(
  value: number,
  { low, high }: { readonly low: number; readonly high: number },
  form?: Form,
): string {
  return `${signed(value, form)} [${signed(low, form)}, ${signed(high, form)}]`;
}
