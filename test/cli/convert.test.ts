import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { convertCommand } from "../../src/cli/convert";
import { knnCommand, linearCommand } from "../../src/cli/evaluate";
import { projectRoot } from "../../src/cli/project";
import { presetRecipe } from "../../src/cli/recipe-flags";
import { InputError } from "../../src/errors";
import { tf } from "../../src/engine/tf";
import type { LinearRun } from "../../src/runs/run-linear";
import { readWeights, writeWeights } from "../../src/weights/weights-file";
import { presetNamed } from "../../src/recipes/presets";
import { saveCheckpoint } from "../../src/train/checkpoint";
import { disposeTraining, startTraining } from "../../src/train/state";

const fixture = (name: string) => join(projectRoot, "test", "weights", "fixtures", name);
let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "moco-convert-"))));
afterAll(() => rmSync(folder, { recursive: true }));
const inFolder = (name: string) => join(folder, name);

/** What a command prints. */
async function run(command: ReturnType<typeof convertCommand>, ...words: string[]): Promise<string> {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  try {
    await command.parseAsync(words, { from: "user" });
    return log.mock.calls.map((call) => String(call[0])).join("\n");
  } finally {
    log.mockRestore();
  }
}

const convert = (...words: string[]) => run(convertCommand(), ...words);
const sorted = (path: string) => [...readWeights(path).tensors].sort(([a], [b]) => (a < b ? -1 : 1));

describe("moco convert", () => {
  it("brings an official checkpoint into the kit and back, bit for bit", async () => {
    const official = fixture("moco-v2.zip.pth.tar");
    const text = await convert(official, inFolder("kit.safetensors"), "--to", "kit");
    expect(text).toContain("resnet18 of width 1 with imagenet stem and mlp head of 4");
    expect(text).toContain(`${official}: 250 tensors with names of moco`);
    await convert(inFolder("kit.safetensors"), inFolder("moco.safetensors"), "--to", "moco");
    expect(sorted(inFolder("moco.safetensors"))).toEqual(sorted(official));
  });

  it("writes for detectron2 what the official script writes", async () => {
    const words = [fixture("moco-v1.legacy.pth.tar"), inFolder("weights.pkl"), "--to", "detectron2", "--json"];
    expect(JSON.parse(await convert(...words))).toMatchObject({
      from: "moco",
      to: "detectron2",
      encoder: { architecture: "resnet50", width: 1, stem: "imagenet", head: "linear", dimension: 4 },
      tensors: { written: 320 },
    });
    expect(sorted(inFolder("weights.pkl"))).toEqual(sorted(fixture("moco-v1.detectron2.pkl")));
  });

  it("says what it leaves out", async () => {
    const { tensors } = readWeights(fixture("moco-v2.zip.pth.tar"));
    const start = "module.encoder_q.";
    const query = [...tensors].filter(([name]) => name.startsWith(start) && !name.includes(".fc."));
    const bare = query.map(([name, tensor]) => [`backbone.${name.slice(start.length)}`, tensor] as const);
    writeWeights(
      inFolder("dino.safetensors"),
      new Map([...bare, ["head.mlp.0.weight", tensors.get("module.encoder_q.fc.0.weight")!]]),
    );
    const text = await convert(inFolder("dino.safetensors"), inFolder("backbone.pkl"), "--to", "detectron2");
    expect(text).toContain("resnet18 of width 1 with imagenet stem and no head");
    expect(text).toContain("left out, since they belong to no encoder: head.mlp.0.weight");
    expect(readWeights(inFolder("backbone.pkl")).tensors.size).toBe(bare.length);
  });

  it("refuses a name that does not say the format, and writes nothing", async () => {
    const words = [fixture("moco-v1.legacy.pth.tar"), inFolder("weights.pth"), "--to", "detectron2"];
    await expect(convert(...words)).rejects.toThrow(
      "Cannot write detectron2 weights: the file's name must end in .pkl",
    );
    await expect(convert(...words.slice(0, 3), "moco")).rejects.toThrow("must end in .safetensors");
    expect(existsSync(inFolder("weights.pth"))).toBe(false);
  });

  it("refuses weights that are no whole network, and leaves the file that was there", async () => {
    writeFileSync(inFolder("old.safetensors"), "old");
    const words = [fixture("odd-tensors.zip.pth"), inFolder("old.safetensors"), "--to", "kit"];
    await expect(convert(...words)).rejects.toThrow(InputError);
    expect(readFileSync(inFolder("old.safetensors"), "utf8")).toBe("old");
  });
});

describe("weights of other projects", () => {
  const recipe = presetRecipe(presetNamed("smoke"));

  it("are evaluated as the checkpoint that they come from", async () => {
    const state = startTraining(recipe, { seed: 3, data: { checksum: "emoji", images: 2298, classes: 9 } });
    saveCheckpoint(inFolder("checkpoint.safetensors"), state, recipe);
    disposeTraining(state);
    // The folder of the run will do.
    await convert(folder, inFolder("exported.safetensors"), "--to", "torchvision");
    await convert(inFolder("exported.safetensors"), inFolder("exported.pkl"), "--to", "detectron2");
    const knn = async (...words: string[]) => JSON.parse(await run(knnCommand(), ...words, "--json")) as object;
    const expected = await knn(inFolder("checkpoint.safetensors"));
    const before = tf.memory().numTensors;
    const found = await knn(inFolder("exported.pkl"), "--data", "emoji", "--size", String(recipe.imageSize));
    expect(tf.memory().numTensors).toBe(before);
    expect(found).toMatchObject({ data: "emoji", architecture: recipe.encoder.architecture });
    expect(found).toHaveProperty("measures", (expected as { measures: object }).measures);
  });

  it("are taken by the paper's linear protocol from an official checkpoint and by torchvision's names, to the same bits", async () => {
    const official = fixture("moco-v2.zip.pth.tar");
    await convert(official, inFolder("backbone.safetensors"), "--to", "torchvision");
    const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const classified = async (weights: string, output: string) => {
      const recipe = ["--data", "emoji", "--size", "16", "--set", "epochs=1", "--set", "learningRate=0.1"];
      const words = [weights, "--protocol", "paper", ...recipe, "--output", inFolder(output), "--json"];
      const { epochs, correct } = JSON.parse(await run(linearCommand(), ...words)) as LinearRun;
      return { epochs, correct };
    };
    const found = await classified(official, "linear-official");
    expect(found.epochs).toHaveLength(1);
    expect(found.epochs[0]!.topOne).toBeGreaterThan(0);
    expect(await classified(inFolder("backbone.safetensors"), "linear-torchvision")).toEqual(found);
    stderr.mockRestore();
  });

  it("have no recipe: a data set must be named", async () => {
    const before = tf.memory().numTensors;
    const knn = run(knnCommand(), fixture("moco-v2.zip.pth.tar"));
    await expect(knn).rejects.toThrow("it has weights, but no recipe that names a data set. Give one, for example");
    expect(tf.memory().numTensors).toBe(before);
  });
});
