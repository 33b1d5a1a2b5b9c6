import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import sharp from "sharp";
import { dataFolder, dataRoot, findDataSets, loadData, parseDataName } from "../../src/data/load";
import { InputError } from "../../src/errors";

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "data-root-"));
  for (const folder of ["shapes/train/a", "shapes/train/b", "shapes/val/a", "shapes/test/b"]) {
    await mkdir(join(root, folder), { recursive: true });
    await sharp({ create: { width: 4, height: 4, channels: 3, background: "red" } }).toFile(
      join(root, folder, "1.png"),
    );
  }
});
afterAll(() => rm(root, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

describe("loadData", () => {
  it("loads the emoji set without a data root", async () => {
    expect((await loadData("emoji", { root: join(root, "none"), size: 16 })).train.size).toBe(16);
  });

  it("finds an image folder in the root, or by MOCO_DATA, or by its own path", async () => {
    const byRoot = await loadData("folder:shapes", { root, size: 4 });
    expect(byRoot.name).toBe("shapes");
    vi.stubEnv("MOCO_DATA", root);
    expect((await loadData("folder:shapes", { size: 4 })).checksum).toBe(byRoot.checksum);
    expect((await loadData(`folder:${join(root, "shapes")}`, { size: 4 })).checksum).toBe(byRoot.checksum);
  });

  it("finds a folder by ~, the home of the user", async () => {
    vi.stubEnv("HOME", root);
    expect((await loadData("folder:~/shapes", { root: "/none", size: 4 })).name).toBe("shapes");
  });

  it("says where it looked for a folder that is missing, and of a file that it is one", async () => {
    await expect(loadData("folder:none", { root })).rejects.toThrow(
      `there is no folder ${join(root, "none")}. It is looked for below the folder that --data-root or MOCO_DATA names`,
    );
    const absolute = join(root, "none");
    await expect(loadData(`folder:${absolute}`, { root })).rejects.toThrow(/there is no folder .*none$/);
    await expect(loadData("folder:shapes/train/a/1.png", { root })).rejects.toThrow(
      /1\.png: it is a file, name the folder around it$/,
    );
  });

  it("says where it looked for CIFAR-10, and that its size is 32", async () => {
    await expect(loadData("cifar10", { root })).rejects.toThrow(join(root, "cifar-10-batches-bin"));
    await expect(loadData("cifar10", { root, size: 64 })).rejects.toThrow("current size is 64");
  });
});

describe("parseDataName", () => {
  it("takes the three kinds of names and refuses others", () => {
    expect(["emoji", "cifar10", "folder:a/b"].map(parseDataName)).toEqual(["emoji", "cifar10", "folder:a/b"]);
    for (const wrong of ["", "mnist", "folder:", "Emoji"]) expect(() => parseDataName(wrong)).toThrow(InputError);
  });
});

describe("dataRoot", () => {
  it("prefers the flag, then MOCO_DATA, then the project's folder", () => {
    vi.stubEnv("MOCO_DATA", "/from/variable");
    expect(dataRoot("/from/flag")).toBe("/from/flag");
    expect(dataRoot()).toBe("/from/variable");
    vi.stubEnv("MOCO_DATA", undefined);
    expect(dataFolder("cifar10")).toBe(join(__dirname, "..", "..", "data", "cifar-10-batches-bin"));
  });
});

describe("findDataSets", () => {
  it("lists emoji, CIFAR-10 and the image folders of the root", async () => {
    const findings = await findDataSets(root);
    expect(findings.map(({ name, found }) => [name, found])).toEqual([
      ["emoji", true],
      ["cifar10", false],
      ["folder:shapes", true],
    ]);
  });

  it("does not mind a root that is missing", async () => {
    expect(await findDataSets(join(root, "none"))).toHaveLength(2);
  });
});
