import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const root = resolve(__dirname, "..", "..", "..");
const python = process.env["MOCO_BENCH_PYTHON"] ?? join(root, ".venv-bench", "bin", "python");

/** A process that answers each line of JSON with a line of JSON. */
export interface Peer<Answer> {
  readonly ask: (request: object) => Promise<Answer>;
  readonly stop: () => void;
}

/** Starts one side of a comparison; its messages go to this process's stderr. */
export function startPeer<Answer>(command: string, args: readonly string[]): Peer<Answer> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const end = once(child, "exit") as Promise<[code: number | null, signal: string | null]>;
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const line = await lines.next();
      if (line.done === true) {
        const [code, signal] = await end;
        throw new Error(`${command} ended with ${signal ?? `exit code ${code}`}; its message stands above`);
      }
      return JSON.parse(line.value) as Answer;
    },
    stop: () => child.stdin.end(),
  };
}

/** The command line of a script in `bench` by PyTorch's Python; undefined, with a message and exit code 2, if there is none. */
export function torchCommand(script: string): readonly [string, string] | undefined {
  if (existsSync(python)) return [python, join(root, "bench", script)];
  console.error(
    "Cannot compare with PyTorch: it is not installed. Run:\n" +
      "  python3 -m venv .venv-bench && .venv-bench/bin/pip install -r bench/requirements.txt\n" +
      "or name a Python that has it by MOCO_BENCH_PYTHON",
  );
  process.exitCode = 2;
  return undefined;
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** The median of ratios, one a round, and their range. */
export function medianAndRange(ratios: readonly number[]): string {
  const [middle, least, most] = [median(ratios), Math.min(...ratios), Math.max(...ratios)].map((x) => x.toFixed(2));
  return `${middle} (${least} to ${most} over ${ratios.length} rounds)`;
}
