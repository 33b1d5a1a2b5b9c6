import fc from "fast-check";
import { expect } from "vitest";
import { InputError } from "../../src/errors";

/** What one case may take: the promise of docs/reliability.md. */
const mostSeconds = 5;
const mostBytes = 2 ** 30;

const long = process.env["MOCO_TEST_LONG"] !== undefined;

/** Cases of the long form. */
const longCases = 10_000;

/** Time for a test that calls {@link everyCaseEndsWell}, in ms. */
export const strangersTimeout = long ? 1_800_000 : 60_000;

/** A reader, and files, texts or values that strangers could give it. */
export interface StrangersCases<Case, Value> {
  /** As the table of docs/reliability.md calls it. */
  readonly reader: string;
  readonly cases: fc.Arbitrary<Case>;
  /** Cases tried in `npm test`; the long form tries 10,000. */
  readonly short: number;
  /** @throws InputError where the case is refused */
  readonly read: (one: Case) => Value | Promise<Value>;
  /** What each refusal must say: the file's name, or what was given. */
  readonly names: string | RegExp;
  /** What must hold of each value that was read. */
  readonly check?: (value: Value, one: Case) => void;
}

/** Fails a case that does not end. */
function tooLong(): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`it did not end within ${mostSeconds} s`)), 1000 * mostSeconds).unref();
  });
}

/**
 * Tries a reader on many cases. Each must end within 5 s and 1 GiB in a value that passes the check, or in an
 * {@link InputError} that names the file. At least one of them must be read and one be refused, else the cases try nothing.
 */
export async function everyCaseEndsWell<Case, Value>(strangers: StrangersCases<Case, Value>): Promise<void> {
  const { reader, cases, short, read, names, check } = strangers;
  const counts = { read: 0, refused: 0 };
  let longest = 0;
  const kilobytesBefore = process.resourceUsage().maxRSS;
  const property = fc.asyncProperty(cases, async (one) => {
    const start = performance.now();
    let value: Value | undefined;
    let error: unknown;
    try {
      value = await Promise.race([read(one), tooLong()]);
    } catch (caught) {
      error = caught;
    }
    const seconds = (performance.now() - start) / 1000;
    longest = Math.max(longest, seconds);
    expect(seconds).toBeLessThan(mostSeconds);
    expect(1024 * (process.resourceUsage().maxRSS - kilobytesBefore)).toBeLessThan(mostBytes);
    if (error === undefined) {
      counts.read++;
      check?.(value!, one);
      return;
    }
    counts.refused++;
    expect(error, (error as Error).stack).toBeInstanceOf(InputError);
    expect((error as InputError).message).toMatch(names);
    expect((error as InputError).message).not.toMatch(/\n\s+at |\[object |is not a function|is not iterable/);
  });
  await fc.assert(property, { seed: 1, numRuns: long ? longCases : short, endOnFailure: true });
  if (long) {
    const { read, refused } = counts;
    console.log(
      `${reader}: ${read + refused} cases, ${read} read, ${refused} refused, longest ${longest.toFixed(2)} s`,
    );
  }
  expect(counts.read).toBeGreaterThan(0);
  expect(counts.refused).toBeGreaterThan(0);
}
