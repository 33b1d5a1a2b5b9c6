import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { paperTrainings } from "../../src/experiments/cost/planned-training";
import { moco, start } from "./moco";

describe("moco estimate", () => {
  it("prints every recipe of the paper", async () => {
    const { code, stdout } = await moco("estimate");
    expect(code).toBe(0);
    for (const { recipe } of paperTrainings()) expect(stdout).toContain(`│ ${recipe.name} `);
  });

  it("prints JSON of those asked for", async () => {
    const { code, stdout } = await moco("estimate", "coco_R_50_C4_2x", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      trainings: [{ name: "coco_R_50_C4_2x", images: 117_266, iterations: 180_000, imagesSeen: 2_880_000 }],
    });
  });

  it.each([
    { words: ["quick"], says: /choose of moco-v1-imagenet, .*coco_R_50_C4_2x.*current value is "quick"/ },
    { words: ["--batches", "8,16"], says: /add --measure/ },
    { words: ["--measure", "--batches", "16,8"], says: /ascending order/ },
    { words: ["moco-v1-imagenet", "--measure", "--batches", "8,48"], says: /must be a multiple of the 32 images/ },
  ])("answers `moco estimate $words` with what to do and exit code 2", async ({ words, says }) => {
    const { code, stderr } = await moco("estimate", ...words);
    expect(stderr).toMatch(says);
    expect(code).toBe(2);
  });

  it("stops a measurement at Ctrl-C", async () => {
    const { process: child, finished } = start("estimate", "moco-v1-imagenet", "--measure", "--json");
    for (let said = ""; !said.includes("with a batch of 8");) said += String((await once(child.stderr!, "data"))[0]);
    child.kill("SIGINT");
    const { code, stdout, stderr } = await finished;
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(stderr).toContain("Measurement stopped");
  });
});
