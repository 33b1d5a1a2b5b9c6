import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { linearCommand } from "../../src/cli/evaluate";
import { randomStream } from "../../src/engine/random";
import { createEncoder, disposeEncoder } from "../../src/nn/encoder";
import { encodeSafetensors } from "../../src/weights/safetensors";
import { toStateDict } from "../../src/weights/state-dict";

const root = mkdtempSync(join(tmpdir(), "moco-linear-cli-"));
const weights = join(root, "weights.safetensors");
const data = `folder:${join(root, "images")}`;
afterAll(() => rmSync(root, { recursive: true }));

beforeAll(async () => {
  const paint = async (path: string, gray: number) => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    const background = { r: gray, g: gray, b: 0 };
    await sharp({ create: { width: 16, height: 16, channels: 3, background } }).toFile(join(root, path));
  };
  for (let index = 0; index < 12; index++) {
    await paint(`plain/${index}.png`, 20 * index);
    for (const [name, gray] of [
      ["a", 0],
      ["b", 7],
    ] as const)
      await paint(`images/${name}/${index}.png`, 20 * index + gray);
  }
  writeWeights(weights);
});

/** A file of weights of a narrow ResNet-18, perhaps with one value changed. */
function writeWeights(path: string, first?: number): void {
  const config = { architecture: "resnet18", width: 2, stem: "cifar", head: "linear", dimension: 4 } as const;
  const encoder = createEncoder(config, randomStream(1));
  const tensors = new Map([...toStateDict(encoder.parameters, ""), ...toStateDict(encoder.running, "")]);
  disposeEncoder(encoder);
  if (first !== undefined) tensors.get("conv1.weight")!.values[0] = first;
  writeFileSync(path, encodeSafetensors({ tensors, metadata: {} }));
}

/** Runs the paper's protocol on a data set; gives what is printed on stdout. */
async function linear(given: string, ...more: readonly string[]): Promise<string> {
  const printed: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((text: string) => void printed.push(text));
  const write = vi
    .spyOn(process.stdout, "write")
    .mockImplementation((text) => printed.push(String(text).trimEnd()) > 0);
  try {
    const words = [given, "--protocol", "paper", "--size", "16", ...more];
    await linearCommand().exitOverride().parseAsync(words, { from: "user" });
    return printed.join("\n");
  } finally {
    log.mockRestore();
    write.mockRestore();
  }
}

const to = (folder: string) => ["--data", data, "--output", join(root, folder)];
const set = (...fields: readonly string[]): string[] => fields.flatMap((field) => ["--set", field]);

describe("moco linear --protocol paper", () => {
  it("prints each epoch with its interval, and what differs from the paper's protocol", async () => {
    const settings = set("epochs=2", "batchSize=8", "learningRate=0.1");
    const text = await linear(weights, ...to("short"), ...settings);
    const epochs = text.split("\n").filter((line) => line.startsWith("After epoch "));
    expect(epochs).toHaveLength(2);
    for (const line of epochs) {
      expect(line).toMatch(
        /^After epoch [12] of 2 on test of folder:.*: top-1 [\d.]+ %, 95 % interval of test sampling [\d.]+ to [\d.]+ %; top-5 [\d.]+ %$/,
      );
    }
    expect(text).toContain("The rate does not fall at epochs 60, 80: there are 2");
    expect(text).toContain("the paper's protocol but for batchSize = 8, learningRate = 0.1, epochs = 2");
    // What is finished is looked up, and its outcome says the same.
    expect(await linear(weights, ...to("short"), ...settings)).toContain("the paper's protocol but for batchSize = 8");
  });

  it("counts images, not places of a batch, in its speed; and one epoch as one", async () => {
    const text = await linear(weights, ...to("one"), ...set("epochs=1", "batchSize=100000"));
    expect(text).toContain("1 epoch of");
    const rates = [...text.matchAll(/([\d.]+) images\/s/g)].map(([, rate]) => Number(rate));
    // Sixteen images in a step of a millisecond at the very least.
    for (const rate of rates) expect(rate).toBeLessThan(16_000);
    expect(rates).not.toEqual([]);
  });

  it("says by what a run that is there was trained", async () => {
    await linear(weights, ...to("held"), ...set("epochs=1"));
    await expect(linear(weights, ...to("held"), ...set("epochs=1"), "--seed", "2")).rejects.toThrow(
      /it was trained by recipe (\w+) with seed 1 on .*, asked for is recipe \1 with seed 2 on .*--fresh/,
    );
  });

  it("refuses images without classes before it makes a folder", async () => {
    const words = ["--data", `folder:${join(root, "plain")}`, "--output", join(root, "none")];
    await expect(linear(weights, ...words)).rejects.toThrow(/must have folders of two classes or more/);
    expect(existsSync(join(root, "none"))).toBe(false);
  });

  it("names the file whose weights are no numbers", async () => {
    const broken = join(root, "broken.safetensors");
    writeWeights(broken, NaN);
    await expect(linear(broken, ...to("broken"))).rejects.toThrow(
      `Cannot use the network of ${broken}: every weight must be a finite number, one of conv1.weight is NaN`,
    );
    expect(existsSync(join(root, "broken"))).toBe(false);
  });

  it("says what to do where a training diverges", async () => {
    await expect(linear(weights, ...to("diverged"), ...set("learningRate=1e38"))).rejects.toThrow(
      /the loss of step \d+ is .*\. .*--set learningRate=1e\+37/,
    );
  });

  it("says of a folder that it holds no checkpoint", async () => {
    const folder = join(root, "images");
    await expect(linear(folder, ...to("folder"))).rejects.toThrow(
      `Cannot read the weights: ${folder} is a folder without a checkpoint; give a file, or the folder of a run`,
    );
  });
});

it("the fast form has the same messages", async () => {
  const command = linearCommand().exitOverride();
  await expect(command.parseAsync([join(root, "images"), "--data", data], { from: "user" })).rejects.toThrow(
    "is a folder without a checkpoint",
  );
});
