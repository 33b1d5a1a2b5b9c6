import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { moco } from "./moco";

const root = mkdtempSync(join(tmpdir(), "moco-goes-on-"));
afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

const preset = ["pretrain", "--preset", "smoke"];
const smoke = [...preset, "--queue-size", "64"];

interface Trained {
  readonly manifest: {
    readonly recipe: { readonly name: string; readonly source: string; readonly learningRate: number };
    readonly steps: number;
  };
}

describe("moco pretrain", () => {
  it("goes on from another run's checkpoint at another rate, as a run of another name", async () => {
    const [before, after] = [join(root, "before"), join(root, "after")];
    const begun = await moco(...smoke, "--output", before, "--steps", "3");
    expect(begun.code, begun.stderr).toBe(0);
    const rate = ["--learning-rate", "0.002"];
    const goneOn = await moco(...smoke, ...rate, "--from", before, "--output", after, "--json");
    expect(goneOn.code, goneOn.stderr).toBe(0);
    const { recipe, steps } = (JSON.parse(goneOn.stdout) as Trained).manifest;
    expect(recipe).toMatchObject({ name: expect.stringMatching(/-from-step3$/) as string, learningRate: 0.002 });
    expect(recipe.source).toContain("goes on from step 3 at a learning rate of 0.01");
    expect(steps).toBeGreaterThan(3);
    expect(goneOn.stderr).toContain("Going on after step 3");

    const other = await moco(...preset, "--queue-size", "128", "--from", before, "--output", join(root, "other"));
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("(method.queueSize 64, asked for is 128)");
  });

  it("warns where it goes on under a setting that changes the bits", async () => {
    const output = ["--output", join(root, "threads")];
    vi.stubEnv("TF_NUM_INTRAOP_THREADS", "1");
    expect((await moco(...smoke, ...output, "--steps", "2")).stderr).toBe("");
    vi.stubEnv("TF_NUM_INTRAOP_THREADS", "2");
    const { code, stderr } = await moco(...smoke, ...output, "--steps", "3");
    expect(code).toBe(0);
    expect(stderr).toMatch(/threads 2, was 1/);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
