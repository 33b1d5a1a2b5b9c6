/** Something that the user gave is wrong. The message says what, where and what to do; the command line prints it without a stack. */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** Training was asked to stop. Nothing is lost: the same call goes on from the checkpoint. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}

/** Training has diverged: a loss, or what a network says, is no longer a number. */
export class DivergedError extends Error {
  override readonly name = "DivergedError";
}
