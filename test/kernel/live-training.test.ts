import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runCells } from "./run-cells";

const folder = mkdtempSync(join(tmpdir(), "moco-live-"));
afterAll(() => rmSync(folder, { recursive: true }));

const setUp = `
import { liveTraining, loadData, presetNamed, pretrain, queueSizeAblation, stopRequested, tf } from "moco-kit";
const size = presetNamed("smoke");
const { recipe } = queueSizeAblation(size).cells[0];
const data = await loadData("emoji", { size: recipe.imageSize });
const show = liveTraining();
`;

/** A cell that trains in a folder, and prints the step that it began after and the one that it ended with. */
const train = (directory: string) => `
{
  let [first, last] = [0, 0];
  try {
    for await (const progress of pretrain(recipe, data, { seed: 1, directory: ${JSON.stringify(join(folder, directory))}, stopRequested })) {
      if (first === 0) first = progress.step;
      last = progress.step;
      if (last === 3) console.log("three steps");
      show("smoke", progress);
    }
  } finally {
    console.log(JSON.stringify({ first, last, tensors: tf.memory().numTensors }));
  }
}`;

interface Told {
  readonly first: number;
  readonly last: number;
  readonly tensors: number;
}

function toldBy(stdout: string): Told {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1)!) as Told;
}

describe("a training in a cell", () => {
  it("stops with a checkpoint when it is interrupted, and the same cell goes on from it", () => {
    const [, stopped, goneOn] = runCells([setUp, { source: train("stopped"), during: "interrupt" }, train("stopped")]);
    expect(stopped!.errors[0]!.evalue).toMatch(/^Training stopped at step \d+ of \d+/);
    const before = toldBy(stopped!.stdout);
    expect(before.last).toBeGreaterThanOrEqual(3);
    expect(goneOn!.status).toBe("ok");
    expect(toldBy(goneOn!.stdout).first).toBe(before.last + 1);
  }, 300_000);

  it.runIf(process.env["MOCO_TEST_LONG"])(
    "loses nothing when the kernel is shut down or restarted",
    () => {
      runCells([setUp, { source: train("shut-down"), during: "shut down" }]);
      const [, goneOn] = runCells([setUp, train("shut-down")]);
      expect(toldBy(goneOn!.stdout).first).toBeGreaterThan(3);
    },
    300_000,
  );

  it.runIf(process.env["MOCO_TEST_LONG"])(
    "leaves no tensor behind, and the kernel's memory as it is, however often it is run",
    () => {
      const memory = "globalThis.gc?.(); console.log(process.memoryUsage().rss / 2 ** 20)";
      const runs = [1, 2, 3, 4].flatMap((run) => [train(`run-${run}`), memory]);
      const answers = runCells([setUp, ...runs]);
      const [, ...ofRuns] = answers.map(({ stdout }) => stdout);
      const tensors = ofRuns.filter((_, index) => index % 2 === 0).map((stdout) => toldBy(stdout).tensors);
      const megabytes = ofRuns.filter((_, index) => index % 2 === 1).map(Number);
      expect(new Set(tensors).size).toBe(1);
      // The first run loads and records what the others find.
      expect(megabytes[3]! - megabytes[1]!, megabytes.join(", ")).toBeLessThan(0.1 * megabytes[1]!);
    },
    300_000,
  );
});
