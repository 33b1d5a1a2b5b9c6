/** Runs the tools of the set-up (npm, pip, the compilers) as children, and stops them when the set-up is stopped. */
import { spawn } from "node:child_process";

/** The set-up cannot go on. The message is for the user, and is printed without a stack. */
export class SetupError extends Error {}

const SHOWN_LINES = 25;
const KEPT_CHARACTERS = 64 * 1024;
const GRACE_MS = 3000; // between asking a child to end and killing it

let running; // the child at work; the steps run one after another
let stopped = false;

/** What usually helps, by what the tool printed. */
const remedies = [
  [/ENOSPC|No space left|disk quota/i, "Free some disk space, then run the same command again."],
  [
    /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|name resolution|Network is unreachable|timed out|ConnectionError|ProxyError|SSLError|CERTIFICATE/i,
    "Check the network (and the proxy settings of npm and pip), then run the same command again: it goes on with this step.",
  ],
  [
    /THESE PACKAGES DO NOT MATCH THE HASHES|EINTEGRITY/i,
    "A downloaded file is not the one that was pinned: it was cut short, or a mirror changed it. Empty the cache (`npm cache clean --force`, `pip cache purge`), then run the same command again.",
  ],
  [
    /No matching distribution/i,
    "There is no such package for this Python and platform: the kit was tried with Python 3.11 on Linux x64.",
  ],
  [
    /EACCES|EPERM|Permission denied/i,
    "Give your user the right to write in this folder, then run the same command again.",
  ],
];

/**
 * Runs a command to its end and returns what it printed on stdout.
 *
 * The child gets a process group of its own, so that stopping it also stops the processes that it started.
 *
 * @param title - the step's name in an error message
 * @param onStart - told the child's process id
 * @throws SetupError with the end of the child's output, when it fails
 */
export function run(title, command, args, { cwd, onStart }) {
  return new Promise((resolve, reject) => {
    if (stopped) {
      reject(new SetupError("stopped"));
      return;
    }
    const child = spawn(command, args, { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    running = child;
    let stdout = "";
    let output = "";
    child.stdout.on("data", (data) => {
      stdout = (stdout + data).slice(-KEPT_CHARACTERS);
      output = (output + data).slice(-KEPT_CHARACTERS);
    });
    child.stderr.on("data", (data) => {
      output = (output + data).slice(-KEPT_CHARACTERS);
    });
    child.on("spawn", () => onStart(child.pid));
    child.on("error", (cause) => {
      running = undefined;
      reject(new SetupError(`${title}: cannot start ${command}: ${cause.message}`));
    });
    child.on("close", (code, signal) => {
      running = undefined;
      if (code === 0) resolve(stdout);
      else reject(new SetupError(failure(title, command, args, code ?? signal, output)));
    });
  });
}

function failure(title, command, args, status, output) {
  const lines = output.trimEnd().split("\n").slice(-SHOWN_LINES);
  const remedy = remedies.find(([pattern]) => pattern.test(output));
  return [
    `${title}: this command failed (${status}): ${[command, ...args].join(" ")}`,
    ...lines.map((line) => `  | ${line}`),
    remedy ? remedy[1] : "Run the same command again; if it fails again, the lines above say why.",
  ].join("\n");
}

/** Stops the child at work, and lets no other start. Called again, it kills the child. */
export function stop() {
  const child = running;
  const again = stopped;
  stopped = true;
  if (child === undefined) return;
  signalGroup(child.pid, again ? "SIGKILL" : "SIGTERM");
  setTimeout(() => signalGroup(child.pid, "SIGKILL"), GRACE_MS).unref();
}

/** Whether `stop` was called. */
export function isStopped() {
  return stopped;
}

/** Sends a signal to a process group; one that has ended is left alone. */
export function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
