import { mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { dataCommand, type DataCount } from "../../src/cli/data";
import { describeTransfer } from "../../src/cli/data-get";
import { publishedSets } from "../../src/data/published/published-sets";
import type { WrittenScenes } from "../../src/detection/data/scene-files";
import { InputError } from "../../src/errors";
import { serve } from "../data/published/file-server";
import { start } from "./moco";

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "data-root-"));
});
afterAll(() => rm(root, { recursive: true }));

/** What `moco data ...` prints. */
async function run(...words: string[]): Promise<string> {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  await dataCommand().parseAsync(words, { from: "user" });
  const printed = log.mock.calls.map((call) => String(call[0])).join("\n");
  log.mockRestore();
  return printed;
}

describe("moco data", () => {
  it("lists what is there, as a table and as JSON", async () => {
    expect(await run("list", "--data-root", root)).toMatch(/emoji +│ yes[\s\S]*cifar10 +│ no/);
    const list = JSON.parse(await run("list", "--data-root", root, "--json")) as { name: string }[];
    const published = publishedSets.map(({ name }) => name).filter((name) => name !== "cifar10");
    expect(list.map(({ name }) => name)).toEqual(["emoji", "cifar10", ...published]);
  });

  it("counts a data set by class and part", async () => {
    const count = JSON.parse(await run("count", "emoji", "--size", "16", "--json")) as DataCount;
    expect(count.classes).toHaveLength(9);
    for (const { part, images } of count.parts) {
      const sum = count.classes.reduce((total, row) => total + row[part as "train" | "validation" | "test"], 0);
      expect(sum).toBe(images);
    }
    expect(await run("count", "emoji", "--size", "16")).toContain("People & Body");
  });

  it("verifies the emoji set against the split", async () => {
    expect(await run("verify", "emoji")).toMatch(/3812 images read.*\nSHA-256 of images and labels: [0-9a-f]{64}/);
  });

  it("refuses a name that is none, and a set that is missing", async () => {
    await expect(run("count", "mnist")).rejects.toThrow(InputError);
    await expect(run("verify", "cifar10", "--data-root", root)).rejects.toThrow(InputError);
  });

  it("says how to get a set that is missing", async () => {
    await expect(run("verify", "cifar10", "--data-root", root)).rejects.toThrow("get it by: moco data get cifar10");
  });

  it("tells on stderr what it passed over, once", async () => {
    for (let red = 0; red < 40; red++) {
      const folder = join(root, "told", red % 2 ? "a" : "b");
      await mkdir(folder, { recursive: true });
      const create = { width: 2, height: 2, channels: 3, background: `rgb(${red},0,0)` } as const;
      await sharp({ create }).toFile(join(folder, `${red}.png`));
    }
    await writeFile(join(root, "told/a/notes.txt"), "");
    const told = vi.spyOn(console, "error").mockImplementation(() => undefined);
    for (const command of ["count", "verify"]) await run(command, "folder:told", "--data-root", root);
    const message = `Passed over in ${join(root, "told")}, 1 in all:\na: 1 .txt`;
    expect(told.mock.calls).toEqual([[message]]);
    told.mockRestore();
  });

  it("lists the images of all parts that cannot be decoded, of a set that is too large to be decoded when it is loaded", async () => {
    for (let index = 0; index < 40; index++) {
      const file = join(root, "large", index % 2 ? "a" : "b", `${index}.jpg`);
      await mkdir(join(file, ".."), { recursive: true });
      await writeFile(file, "");
      await truncate(file, 14 * 2 ** 20); // takes no room on the disk
    }
    await expect(run("verify", "folder:large", "--data-root", root)).rejects.toThrow(
      /^Cannot read images of large: replace or remove those of .*large that cannot be decoded, there are 40:/,
    );
    await rm(join(root, "large"), { recursive: true });
  });

  it("verifies a published set by its counts, and says how to get one that is missing", async () => {
    const verify = run("verify", "voc2007", "--data-root", root);
    await expect(verify).rejects.toThrow(/Cannot find PASCAL VOC 2007.*get it by: moco data get voc2007, missing is/);
    const annotations = join(root, "VOCdevkit", "VOC2007", "Annotations");
    await mkdir(annotations, { recursive: true });
    await writeFile(join(annotations, "000001.xml"), "");
    await expect(run("verify", "voc2007", "--data-root", root)).rejects.toThrow(
      /it is not whole.*\n.*JPEGImages: must have 9963 files \*\.jpg, current count is 0\n.*Annotations: .* is 1$/,
    );
    await rm(join(root, "VOCdevkit"), { recursive: true });
  });

  it("gets a set from a mirror, and refuses what is not the published file", async () => {
    const server = await serve((_, response) => void response.end("another file"));
    const get = run("get", "cifar10", "--data-root", join(root, "new"), "--mirror", server.url, "--json");
    await expect(get).rejects.toThrow(
      /cifar-10-binary\.tar\.gz: the file must have 170052171 bytes, the server's has 12/,
    );
    await server.close();
    await expect(run("get", "mnist")).rejects.toThrow(/choose one of cifar10, .*current value is "mnist"/);
    await expect(run("get", "imagenet", "--data-root", join(root, "new"))).rejects.toThrow(
      /name their folder by --archives, none is named; missing are:\nILSVRC2012_img_train\.tar, 147\.9 GB\n.*_val\.tar, 6\.7 GB\n.*devkit/,
    );
    expect(describeTransfer({ file: "a.tgz", bytes: 1_234_567, totalBytes: 170_052_171 })).toBe(
      "a.tgz: 1.2 of 170.1 MB",
    );
  });

  it("stops getting a set by Ctrl-C, and keeps what was downloaded", async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { "content-length": 170_052_171 });
      response.write(Buffer.alloc(1000));
    });
    const folder = join(root, "stopped");
    const { process: child, finished } = start("data", "get", "cifar10", "--data-root", folder, "--mirror", server.url);
    const part = join(folder, "downloads/cifar-10-binary.tar.gz.part");
    await vi.waitFor(() => stat(part), 20_000);
    child.kill("SIGINT");
    const { code, stderr } = await finished;
    await server.close();
    expect([code, stderr]).toEqual([130, "Stopped. What was downloaded is kept: run the same again to go on\n"]);
    expect((await stat(part)).size).toBe(1000);
  });

  it("writes composed scenes of the parts asked for, the same of the same seed", async () => {
    const few = ["--size", "32", "--train", "0", "--validation", "2", "--test", "3"];
    const json = async (folder: string, ...words: string[]): Promise<readonly WrittenScenes[]> =>
      JSON.parse(await run("scenes", "--output", join(root, folder), ...few, ...words, "--json")) as WrittenScenes[];
    const coco = await json("coco", "--format", "coco");
    expect(coco.map(({ name, images }) => [name, images])).toEqual([
      ["composed scenes/validation", 2],
      ["composed scenes/test", 3],
    ]);
    expect((await readdir(join(root, "coco"))).sort()).toEqual(["README.md", "annotations", "test", "validation"]);
    expect(await json("voc", "--format", "voc")).toEqual(coco);
    expect((await readdir(join(root, "voc"))).sort()).toEqual(["Annotations", "ImageSets", "JPEGImages", "README.md"]);
    expect((await json("other", "--format", "voc", "--seed", "1"))[1]!.checksum).not.toBe(coco[1]!.checksum);
  });

  it("refuses scenes of no part, of no size, and into a folder with files", async () => {
    const output = join(root, "none");
    const none = ["--train", "0", "--validation", "0", "--test", "0"];
    await expect(run("scenes", "--output", output, "--format", "coco", ...none)).rejects.toThrow(
      "ask for some of one part at least",
    );
    await expect(run("scenes", "--output", output, "--format", "coco", "--size", "9")).rejects.toThrow(InputError);
    await expect(run("scenes", "--output", __dirname, "--format", "coco")).rejects.toThrow("must be empty or new");
  });
});
