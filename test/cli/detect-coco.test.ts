import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { detectCommand } from "../../src/cli/detect";

const root = mkdtempSync(join(tmpdir(), "moco-detect-coco-"));
afterAll(() => rmSync(root, { recursive: true }));

/** A set in COCO's layout: six images to train on, two of which have an object; one to test. */
beforeAll(async () => {
  mkdirSync(join(root, "annotations"));
  for (const [part, count] of [
    ["train", 6],
    ["val", 1],
  ] as const) {
    mkdirSync(join(root, part));
    const images = Array.from({ length: count }, (_, index) => ({
      ...{ id: index + 1, file_name: `${index}.png`, width: 48, height: 48 },
    }));
    for (const { file_name, id } of images) {
      const background = { r: 40 * id, g: 0, b: 0 };
      await sharp({ create: { width: 48, height: 48, channels: 3, background } }).toFile(join(root, part, file_name));
    }
    // The second box is a slip of the pen.
    const annotations = images.slice(0, 2).map(({ id }) => ({
      ...{ id, image_id: id, category_id: 1, iscrowd: 0, area: 400, bbox: [4, 4, id === 2 ? 9345 : 20, 20] },
    }));
    writeFileSync(
      join(root, "annotations", `instances_${part}.json`),
      JSON.stringify({ images, annotations, categories: [{ id: 1, name: "thing" }] }),
    );
  }
});

const dataset = '{"kind":"coco","train":"train","test":"val"}';
const words = ["--preset", "smoke", "--set", `dataset=${dataset}`, "--root", root];

/** What the command prints on stdout. */
async function detect(...more: readonly string[]): Promise<string> {
  const printed: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((text: string) => void printed.push(text));
  const write = vi
    .spyOn(process.stdout, "write")
    .mockImplementation((text) => printed.push(String(text).trimEnd()) > 0);
  try {
    await detectCommand()
      .exitOverride()
      .parseAsync([...words, ...more], { from: "user" });
    return printed.join("\n");
  } finally {
    log.mockRestore();
    write.mockRestore();
  }
}

describe("moco detect on images of which some have no object", () => {
  it("says that it leaves them out, and why", async () => {
    const text = await detect("--output", join(root, "run"), "--steps", "1");
    expect(text).toContain("2 of the 6 images are trained on: the others have no object, or crowds alone");
  });

  it("names boxes that reach beyond their image", async () => {
    const text = await detect("--output", join(root, "run"), "--steps", "1");
    expect(text).toContain("Boxes that reach beyond their image, trained on as far as they lie in it (1):");
    expect(text).toMatch(/train: image 2 \(1\.png, 48 x 48\), thing: 4, 4, 9349, 24$/m);
  });

  it("plans for those that it trains on", async () => {
    const text = await detect("--output", join(root, "planned"), "--dry-run");
    expect(text).toContain("2 of 6 images of 1 class to train on");
  });
});

describe("moco detect without a validation part", () => {
  const stopping = ["--set", 'stopping={"evaluateEvery":2,"from":2,"leastRise":0.01,"patience":0.5}'];

  it.each([
    ["a recipe that ends by it", [...stopping]],
    ["readings over the training", ["--validations", "2"]],
  ])("refuses %s before it reads anything", async (_, flags) => {
    const output = join(root, "refused");
    await expect(detect("--output", output, ...flags, "--set", "dataset.train=nowhere")).rejects.toThrow(
      /AP50 .* needs a validation part: dataset\.validation must be given, there is none/,
    );
    expect(existsSync(output)).toBe(false);
  });

  it("takes the first steps of a recipe that ends by one that is there", async () => {
    const held = ["--set", "dataset.validation=val", ...stopping];
    expect(await detect("--output", join(root, "first"), ...held, "--steps", "1")).toContain("Stopped after 1 of 6");
  });
});
