import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { knnCommand } from "../../src/cli/evaluate";
import { pretrainCommand } from "../../src/cli/pretrain";

const root = mkdtempSync(join(tmpdir(), "moco-few-"));
beforeAll(async () => {
  const paint = async (path: string, gray: number) => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    const background = { r: gray, g: gray, b: 0 };
    await sharp({ create: { width: 8, height: 8, channels: 3, background } }).toFile(join(root, path));
  };
  for (let index = 0; index < 12; index++) {
    await paint(`plain/${index}.png`, 20 * index);
    for (const name of ["a", "b"]) await paint(`classes/${name}/${index}.png`, 20 * index + (name === "a" ? 0 : 7));
  }
});
afterAll(() => rmSync(root, { recursive: true }));

const words = (folder: string, ...more: string[]) => {
  const small = ["--preset", "smoke", "--epochs", "1", "--set", "imageSize=16", "--set", "encoder.width=2"];
  return [...small, "--data", `folder:${join(root, folder)}`, "--output", join(root, "run"), "--json", ...more];
};

/** What a command prints on stdout and stderr. */
async function run(command: ReturnType<typeof pretrainCommand>, args: readonly string[]): Promise<[string, string]> {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  const written = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  try {
    await command.parseAsync([...args], { from: "user" });
    return [log.mock.calls.join("\n"), written.mock.calls.map(([text]) => String(text)).join("")];
  } finally {
    log.mockRestore();
    written.mockRestore();
  }
}

describe("moco pretrain on few images", () => {
  it.each([
    [
      "than a batch",
      words("classes", "--batch-size", "32"),
      /choose a smaller --batch-size, current count of images is 16/,
    ],
    [
      "than kNN's neighbors",
      words("classes", "--batch-size", "4"),
      /20 neighbors .* choose a smaller --knn-k, .* is 16/,
    ],
  ])("says that there are fewer %s, and what to change, before it makes a folder", async (_, args, message) => {
    await expect(run(pretrainCommand(), args)).rejects.toThrow(message);
    expect(existsSync(join(root, "run"))).toBe(false);
  });

  it("says so by --dry-run as well, and measures nothing", async () => {
    const planned = async (...args: string[]) => {
      const [stdout] = await run(pretrainCommand(), [...args, "--dry-run"]);
      expect(process.exitCode).toBe(1);
      process.exitCode = undefined;
      return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
    };
    const batch = await planned(...words("classes", "--batch-size", "32"));
    expect(batch["missing"]).toEqual([expect.stringContaining("choose a smaller --batch-size")]);
    expect(batch).not.toHaveProperty("secondsAStep");
    const neighbors = await planned(...words("classes", "--batch-size", "4"));
    expect(neighbors["missing"]).toEqual([expect.stringContaining("choose a smaller --knn-k")]);
    const classes = await planned(...words("plain", "--batch-size", "4", "--method", "supervised"));
    expect(classes["missing"]).toEqual([expect.stringContaining("must have folders of two classes or more")]);
  });

  it("says what was passed over before anything else", async () => {
    mkdirSync(join(root, "classes/.ipynb_checkpoints"));
    const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
    await expect(run(pretrainCommand(), words("classes", "--batch-size", "32"))).rejects.toThrow("--batch-size");
    expect(error.mock.calls).toEqual([
      [`Passed over in ${join(root, "classes")}, 1 in all:\ndirectly in it: 1 whose name begins with a dot`],
    ]);
    error.mockRestore();
    rmdirSync(join(root, "classes/.ipynb_checkpoints"));
  });

  it("trains once it is changed", async () => {
    const more = ["--batch-size", "4", "--knn-k", "3", "--set", "method.queueSize=8", "--fresh"];
    const [stdout] = await run(pretrainCommand(), words("classes", ...more));
    expect(JSON.parse(stdout)).toMatchObject({ history: { monitor: [{ step: 4 }] } });
  });
});

describe("images without classes", () => {
  const plain = words("plain", "--batch-size", "4", "--set", "method.queueSize=8", "--fresh");

  it("can be pre-trained on; that no kNN is read is said", async () => {
    const [stdout, stderr] = await run(pretrainCommand(), plain);
    expect(stderr).toMatch(/No kNN is read: the images of folder:.*plain have no classes\./);
    expect(JSON.parse(stdout)).toMatchObject({ history: { monitor: [] } });
  });

  it("cannot be trained on supervised, nor be evaluated on", async () => {
    const supervised = words("plain", "--batch-size", "4", "--method", "supervised");
    await expect(run(pretrainCommand(), supervised)).rejects.toThrow("must have folders of two classes or more");
    await run(pretrainCommand(), plain);
    await expect(run(knnCommand(), [join(root, "run")])).rejects.toThrow(/Cannot evaluate on folder:.*plain/);
  });
});
