import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeManifest, manifestSchema } from "../../src/train/manifest";
import { recipeHash } from "../../src/train/recipe-hash";
import { tinyData, tinyRecipe } from "./tiny";

const root = join(__dirname, "..", "..");

describe("makeManifest", () => {
  const recipe = tinyRecipe();
  const data = tinyData();
  const started = Date.now();
  const manifest = makeManifest({ recipe, seed: 7, data, encoder: undefined }, { seconds: 1.2345, step: 6 });

  it("says what was trained, on what, and for how long", () => {
    expect(manifest).toMatchObject({
      recipe,
      recipeHash: recipeHash(recipe),
      seed: 7,
      data: { name: "tiny", checksum: data.checksum, trainImages: 26 },
      trainingSeconds: 1.2,
      steps: 6,
    });
    expect(Date.parse(manifest.finished)).toBeGreaterThanOrEqual(started);
  });

  it("names the versions of kit and Node", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    expect(manifest.versions.kit).toBe(version);
    expect(process.version).toContain(manifest.versions.node);
  });

  it("names the commit, or null outside a checkout", () => {
    let commit: string | undefined;
    try {
      commit = execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8", stdio: "pipe" }).trim();
    } catch {
      commit = undefined;
    }
    expect(manifest.git?.commit).toBe(commit);
  });

  it("is read back from JSON as it was", () => {
    expect(manifestSchema.parse(JSON.parse(JSON.stringify(manifest)))).toEqual(manifest);
  });
});
