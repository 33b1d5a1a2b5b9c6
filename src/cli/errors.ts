import { CommanderError } from "commander";
import { ZodError } from "zod";
import { InputError } from "../errors";
import { isSystemError, reasonOf } from "../files/write-failure";

/** Exit codes of the command line, 0 apart. */
export const exitCodes = {
  /** The work failed. */
  failed: 1,
  /** What was asked for is wrong. */
  wrongInput: 2,
  /** Stopped by Ctrl-C or SIGTERM, with a checkpoint to go on from. */
  interrupted: 130,
} as const;

/** What a thrown value means for the process: its exit code, and what goes to stderr. */
export interface Exit {
  readonly code: number;
  readonly message: string | undefined;
}

/**
 * The one place that turns errors into exits. Errors that are for people are printed as they are; what nobody foresaw is
 * called a bug, with the stack if `debug` is set.
 */
export function exitOf(error: unknown, debug: boolean): Exit {
  if (error instanceof CommanderError) {
    // Commander has printed its message, help or version.
    return { code: error.exitCode === 0 ? 0 : exitCodes.wrongInput, message: undefined };
  }
  if (error instanceof InputError) return { code: exitCodes.wrongInput, message: error.message };
  if (error instanceof ZodError) {
    const problems = error.issues.map(({ path, message }) => `${path.join(".") || "value"}: ${message}`);
    return { code: exitCodes.wrongInput, message: `Cannot use what was given.\n  ${problems.join("\n  ")}` };
  }
  if (error instanceof Error) {
    // By name: their module loads TensorFlow, which a wrong flag should not wait for.
    if (error.name === "InterruptedError") return { code: exitCodes.interrupted, message: error.message };
    if (error.name === "DivergedError") return { code: exitCodes.failed, message: error.message };
    if (isSystemError(error) && !debug) return { code: exitCodes.failed, message: describeSystemError(error) };
  }
  const text = error instanceof Error ? error.message : String(error);
  const more = debug && error instanceof Error ? `\n${error.stack}` : "\nSet MOCO_DEBUG=1 to see where.";
  return { code: exitCodes.failed, message: `This is a bug of moco-kit, please report it: ${text}${more}` };
}

/** A full disk says so whatever was being done; of other errors the system's words say more. */
function describeSystemError(error: NodeJS.ErrnoException & { readonly code: string }): string {
  if (!["ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "ENFILE"].includes(error.code)) {
    return `Cannot go on: ${error.message}`;
  }
  const [reason, advice] = reasonOf(error);
  return `Cannot go on${error.path === undefined ? "" : ` at ${error.path}`}: ${reason}. ${advice}, then run the same again`;
}
