import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { decodeSafetensors } from "../../src/weights/safetensors";
import { manifestSchema } from "../../src/train/manifest";
import { checkpointFile } from "../../src/train/pretrain";
import { moco, start, type Finished, type Running } from "./moco";

// Several processes train one after the other: about 15 seconds, and much longer on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "moco-kill-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A training of the smoke preset, 35 steps long, with a checkpoint after nearly every step, or so many seconds. */
function words(run: string, seconds = 0.01): string[] {
  return ["pretrain", "--preset", "smoke", "--output", join(folder, run), "--checkpoint-seconds", String(seconds)];
}

/** Waits until a training has told of its first step, or has ended. */
async function firstStep({ process: { stdout }, finished }: Running): Promise<void> {
  const told = new Promise<void>((resolve) =>
    stdout!.on("data", (text) => /^step \d/m.test(String(text)) && resolve()),
  );
  await Promise.race([told, finished]);
}

/** All that a checkpoint holds, but for the seconds that training took. */
function contentOf(run: string) {
  const path = join(folder, run, checkpointFile);
  const { tensors, metadata } = decodeSafetensors(readFileSync(path), path);
  const { seconds: _seconds, ...rest } = metadata;
  return { tensors, metadata: rest };
}

describe("moco pretrain", () => {
  it("writes down what it was", async () => {
    const { code, stderr } = await moco(...words("unbroken"));
    expect(code, stderr).toBe(0);
    const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(folder, "unbroken", "manifest.json"), "utf8")));
    expect(manifest).toMatchObject({ seed: 1, steps: 35, data: { name: "emoji" } });
  });

  it("has nothing to do where it is finished, and leaves the manifest as it was", async () => {
    const path = join(folder, "unbroken", "manifest.json");
    const before = readFileSync(path, "utf8");
    const { code, stdout } = await moco(...words("unbroken"), "--json");
    expect(code).toBe(0);
    const { sha256: _, ...manifest } = JSON.parse(before) as Record<string, unknown>;
    expect(JSON.parse(stdout)).toMatchObject({ manifestFile: path, manifest });
    expect(readFileSync(path, "utf8")).toBe(before);
  });

  it("refuses a folder that holds another training", async () => {
    const { code, stderr } = await moco(...words("unbroken"), "--seed", "2");
    expect(stderr).toMatch(/Use another folder, or start anew with --fresh/);
    expect(code).toBe(2);
  });

  it("refuses a folder that cannot be, before it trains", async () => {
    const { code, stdout, stderr } = await moco(...words(join("unbroken", "manifest.json", "inside")));
    expect(stderr).toMatch(/what should be its folder is a file \(ENOTDIR\)\. Choose another folder by --output/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("refuses a folder in which another process trains, and names it", async () => {
    const first = start(...words("shared", 1000));
    await firstStep(first);
    const { code, stderr } = await moco(...words("shared"));
    expect(stderr).toMatch(
      /^Cannot use the folder .*shared: process \d+ on .* has worked in it since .*another folder$/m,
    );
    expect(code).toBe(2);
    first.process.kill("SIGKILL");
    await first.finished;
  });

  it("saves a checkpoint at SIGINT, says how to go on, and goes on bit for bit", async () => {
    const stopped = await stopAfterFirstStep("SIGINT");
    expect(stopped.stderr).toMatch(/Training stopped at step \d+ of 35. Run the same again to go on from there/);
    expect(stopped.code).toBe(130);
    expect(existsSync(join(folder, "SIGINT", checkpointFile))).toBe(true);
    const again = await moco(...words("SIGINT"));
    expect(again.stdout).toMatch(/Going on after step \d+ of 35/);
    expect(again.code).toBe(0);
    expect(contentOf("SIGINT")).toEqual(contentOf("unbroken"));
  });

  it("saves a checkpoint at SIGTERM too", async () => {
    expect((await stopAfterFirstStep("SIGTERM")).code).toBe(130);
    expect(existsSync(join(folder, "SIGTERM", checkpointFile))).toBe(true);
  });
});

/** Sends a signal to a training that would write its first checkpoint at the end only. */
async function stopAfterFirstStep(signal: "SIGINT" | "SIGTERM"): Promise<Finished> {
  const running = start(...words(signal, 1000));
  await firstStep(running);
  running.process.kill(signal);
  return running.finished;
}
