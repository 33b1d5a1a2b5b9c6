import { availableParallelism } from "node:os";

/**
 * Read by the addon when a session is made, and there only if the addon heeds it (setup/session-threads.cc): the one that
 * tfjs-node brings ready-made does not.
 */
const variable = "MOCO_SESSION_THREADS";

/** Convolutions of so many multiplications or more are worth being split among all cores (measured in bench/README.md). */
const largeConvolution = 1e9;

/** Whether sessions have as many threads as {@link threadsOf} says; TF_NUM_INTRAOP_THREADS sets them for all instead. */
export function sessionsHaveOwnThreads(): boolean {
  return process.env[variable] !== undefined && !process.env["TF_NUM_INTRAOP_THREADS"];
}

/**
 * Threads that a session spreads each of its operations over: all cores, or where operations are small and several can run at
 * a time, a share for each, since they then wait for each other's threads longer than they compute.
 *
 * @param graph - how many of its operations can run at a time, and the multiplications of its largest convolution
 */
export function threadsOf(graph: { readonly atOnce: number; readonly largestConvolution: number }): number {
  const cores = availableParallelism();
  return graph.largestConvolution < largeConvolution ? Math.ceil(cores / graph.atOnce) : cores;
}

/** Makes a session with so many threads. */
export function withSessionThreads<T>(threads: number, make: () => T): T {
  if (!sessionsHaveOwnThreads()) return make();
  process.env[variable] = String(threads);
  try {
    return make();
  } finally {
    process.env[variable] = "0";
  }
}
