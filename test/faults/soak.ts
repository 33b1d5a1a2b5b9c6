/**
 * Trains, writes checkpoints, reads kNN and evaluates for hours in one process, as a kernel does that is left open, and looks at
 * whether memory, handles and files grow: `sh test/faults/soak.sh HOURS`. Writes the table of docs/reliability.md.
 *
 * A round is a run of the smoke preset with a seed of its own: recorded graph, checkpoints, kNN on validation, linear probe
 * and all that a run is evaluated by, and the live display. The folder of a run is deleted after it.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { liveTraining, loadData, momentumAblation, parseDataName, presetNamed, runCell, tf } from "moco-kit";
import { meanOf } from "../../src/statistics/mean";
import { studentQuantile } from "../../src/statistics/student-t";
import { writeTable } from "./tables";

/** Rounds before the first that counts: what is loaded and kept once is there by then. */
const warmUp = 20;

/** What must stay flat, after a round. */
const watched = {
  "resident memory, MB": () => process.memoryUsage.rss() / 1e6,
  "heap of JavaScript, MB": () => process.memoryUsage().heapUsed / 1e6,
  "arrays outside of it, MB": () => process.memoryUsage().arrayBuffers / 1e6,
  tensors: () => tf.memory().numTensors,
  "open files": () => countOf("/proc/self/fd"),
  threads: () => countOf("/proc/self/task"),
  "timers and handles": () => process.getActiveResourcesInfo().length,
  "files for temporary use": () => readdirSync(tmpdir()).filter((name) => name.startsWith("moco-kit-graph-")).length,
} as const;

function countOf(folder: string): number {
  return existsSync(folder) ? readdirSync(folder).length : NaN;
}

interface Reading {
  readonly hours: number;
  readonly values: readonly number[];
}

async function soak(hours: number): Promise<void> {
  const preset = presetNamed("smoke");
  const { recipe } = momentumAblation(preset).cells[0]!;
  const data = await loadData(parseDataName(recipe.dataset), { size: recipe.imageSize });
  const root = mkdtempSync(join(tmpdir(), "moco-soak-"));
  const readings: Reading[] = [];
  let stopped = false;
  process.once("SIGINT", () => (stopped = true)).once("SIGTERM", () => (stopped = true));
  const begin = performance.now();
  const hoursSince = () => (performance.now() - begin) / 3_600_000;
  try {
    for (let round = 1; !stopped && hoursSince() < hours; round++) {
      const show = liveTraining();
      await runCell(recipe, round, data, preset, {
        root,
        checkpointSeconds: 0.5,
        onProgress: (progress) => show(`round ${round}`, progress),
      });
      for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
      if (round <= warmUp) continue;
      readings.push({ hours: hoursSince(), values: Object.values(watched).map((read) => read()) });
      // So that a kill loses little.
      if (readings.length % 50 === 0) write(readings);
    }
  } finally {
    rmSync(root, { recursive: true });
  }
  write(readings);
}

function write(readings: readonly Reading[]): void {
  const span = readings.at(-1)!.hours - readings[0]!.hours;
  const lines = [
    `| after each of ${readings.length} rounds in ${span.toFixed(1)} hours | first | last | an hour more, 95 % interval |`,
    "| --- | --- | --- | --- |",
    ...Object.keys(watched).map((name, index) => {
      const points = readings.map(({ hours, values }) => [hours, values[index]!] as const);
      const [{ slope, margin }, digits] = [slopeOf(points), name.endsWith("MB") ? 1 : 0];
      const ends = [points[0]!, points.at(-1)!].map(([, value]) => value.toFixed(digits)).join(" | ");
      return `| ${name} | ${ends} | ${slope.toFixed(2)} [${(slope - margin).toFixed(2)}, ${(slope + margin).toFixed(2)}] |`;
    }),
  ];
  writeTable("soak", lines);
  console.log(lines.join("\n"));
}

/** The slope of the least-squares line, and half of its 95 % interval by Student's t. */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): {
  readonly slope: number;
  readonly margin: number;
} {
  const [atX, atY] = [meanOf(points.map(([x]) => x)), meanOf(points.map(([, y]) => y))];
  const spread = points.reduce((sum, [x]) => sum + (x - atX) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - atX) * (y - atY), 0) / spread;
  const rest = points.reduce((sum, [x, y]) => sum + (y - atY - slope * (x - atX)) ** 2, 0);
  const freedom = points.length - 2;
  return { slope, margin: studentQuantile(0.975, freedom) * Math.sqrt(rest / freedom / spread) };
}

const hours = Number(process.argv[2] ?? 6);
if (!(hours > 0)) throw new Error(`Cannot soak: hours must be a positive number, current value is ${process.argv[2]}`);
void soak(hours);
