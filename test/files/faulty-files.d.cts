/** The calls of node:fs by which the kit writes files. */
export type FaultyCall =
  "mkdirSync" | "openSync" | "writeSync" | "fsyncSync" | "readSync" | "closeSync" | "linkSync" | "renameSync";

export interface Fault {
  readonly call: FaultyCall;
  /** Which call fails, counted from 1, and all after it up to `until`. @default 1 */
  readonly at?: number;
  /** @default Infinity */
  readonly until?: number;
  /** `writeSync` only: how many bytes fit, in place of `at`. */
  readonly bytes?: number;
  /** Only files whose path contains it. @default all */
  readonly path?: string;
  /**
   * The code of an error, as "ENOSPC"; "short", half of a write; "flip", a write of one wrong bit; "kill", SIGKILL to the
   * process in place of the call; "killAfter", after it.
   */
  readonly fault: string;
  /** With "kill" of a write: how many of its bytes are written before. @default 0 */
  readonly kept?: number;
}

export const faultyCalls: readonly FaultyCall[];

export function install(fault: Fault): { readonly count: () => number; readonly remove: () => void };

/** Does something with a fault put in. Returns how many calls of its kind there were, and what was thrown. */
export function withFault(fault: Fault, work: () => void): { readonly calls: number; readonly error: unknown };
