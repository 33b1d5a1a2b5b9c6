import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterAll, describe, expect, it, vi } from "vitest";
import { detectCommand } from "../../src/cli/detect";
import { pretrainCommand } from "../../src/cli/pretrain";

vi.setConfig({ testTimeout: 180_000 });

const root = mkdtempSync(join(tmpdir(), "moco-steps-"));
afterAll(() => rmSync(root, { recursive: true }));

/** What a command prints on stdout. */
async function printed(command: Command, words: readonly string[]): Promise<string> {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  const streams = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, "write").mockReturnValue(true));
  try {
    await command.exitOverride().parseAsync([...words], { from: "user" });
    return log.mock.calls.map(([text]) => String(text)).join("\n");
  } finally {
    for (const spy of [log, ...streams]) spy.mockRestore();
  }
}

/** Two commands that train a few steps of a short schedule: 35 steps of an encoder, 6 of a detector. */
const commands = [
  ["pretrain", pretrainCommand, ["--preset", "smoke"], 35],
  ["detect", detectCommand, ["--preset", "smoke"], 6],
] as const;

describe.each(commands)("moco %s --steps", (name, command, words, totalSteps) => {
  const output = join(root, name);
  const run = (...more: string[]) => printed(command(), [...words, "--output", output, ...more]);

  it("takes so many steps of the schedule, and none more when it is given again", async () => {
    expect(await run("--steps", "3")).toContain(`Stopped after 3 of ${totalSteps} steps, as asked`);
    const again = await run("--steps", "2");
    expect(again).toContain(`Nothing to do: 3 of ${totalSteps} steps are taken, --steps asks for 2`);
    expect(again).toContain("The same command without --steps goes on");
    expect(JSON.parse(await run("--steps", "3", "--json"))).toMatchObject({ step: 3, totalSteps, losses: [] });
    expect(JSON.parse(await run("--steps", "4", "--json"))).toMatchObject({ step: 4, losses: [{ step: 4 }] });
  });

  it("refuses to record steps that were taken before, and more than the schedule has", async () => {
    await expect(run("--steps", "4", "--record")).rejects.toThrow(/they were taken before\. .*--fresh/);
    await expect(run("--steps", "900", "--record")).rejects.toThrow(
      `the whole schedule has ${totalSteps}, current value of --steps is 900`,
    );
  });
});
