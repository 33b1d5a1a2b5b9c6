/** Something that the user gave is wrong. The message says what, where and what to do; the command line prints it without a stack. */
export class InputError extends Error {
  override readonly name = "InputError";
}
