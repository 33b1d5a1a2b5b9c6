/** What kernel/interrupts.js puts on globalThis while code runs in the Jupyter kernel. */
export interface NotebookKernel {
  readonly interrupts: number;
  stopRequested(): boolean;
  /** Takes outputs, where it is not Jupyter that shows them. */
  show?(bundle: Readonly<Record<string, unknown>>): void;
}

let interruptsOutside = 0;
let listening = false;

/**
 * Whether the user asked for the work to stop: by the notebook's stop button since the calling cell began, or by Ctrl-C
 * or SIGTERM in a terminal.
 *
 * Code that asks is expected to stop by itself soon: in a notebook the first interrupt lets the cell run until it does;
 * in a terminal the first Ctrl-C after the first call no longer ends the process. A second one ends both.
 * Ask between awaited steps: no signal is noticed during synchronous code.
 */
export function stopRequested(): boolean {
  const kernel = notebookKernel();
  if (kernel !== undefined) {
    return kernel.stopRequested();
  }
  if (!listening) {
    listening = true;
    process.on("SIGINT", countInterrupt);
    process.on("SIGTERM", countInterrupt);
  }
  return interruptsOutside > 0;
}

/**
 * Asks the work of this process to stop, as one Ctrl-C does.
 *
 * @returns whether there is work that stops by itself
 */
export function requestStop(): boolean {
  if (listening) interruptsOutside = Math.max(1, interruptsOutside);
  return listening;
}

/** The kernel, or undefined where the code runs in a terminal. */
export function notebookKernel(): NotebookKernel | undefined {
  return (globalThis as { mocoKernel?: NotebookKernel }).mocoKernel;
}

function countInterrupt(): void {
  interruptsOutside += 1;
  if (interruptsOutside > 1) {
    process.exit(130);
  }
}
