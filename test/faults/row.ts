import type { Random } from "../../src/engine/random";
import type { Installation } from "./installation";

/** One fault that was tried. */
export interface Trial {
  /** What was done, in a few words. */
  readonly what: string;
  /** What was not as promised. */
  readonly problem?: string;
}

/** A row of the table in docs/reliability.md. */
export interface Row {
  /** As `npm run faults -- ID` takes it. */
  readonly id: string;
  readonly fault: string;
  readonly promise: string;
  /** How often it is tried in the full form, and in the short one of the tests; 0: once, in the long tests alone. */
  readonly times: { readonly full: number; readonly short: number };
  /** Yields a trial after each fault. */
  readonly run: (kit: Installation, random: Random, times: number) => AsyncGenerator<Trial, void, void>;
}
