import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { assertWhole, findPublishedSets, getSet, publishedSet } from "../../../src/data/published/get-set";
import { publishedSets, type PublishedArchive, type PublishedSet } from "../../../src/data/published/published-sets";
import { InputError, InterruptedError } from "../../../src/errors";
import { lockFile } from "../../../src/files/folder-lock";
import { writeStoredZip } from "../../weights/zip-writer";
import { sendFile, serve, sha256, type FileServer } from "./file-server";
import { writeTar } from "./tar-writer";

let root: string;
let server: FileServer;
let served: Map<string, Buffer>;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "moco-get-"));
  served = new Map();
  server = await serve((request, response) => {
    const file = served.get(request.url!.slice(1));
    if (file === undefined) return void response.writeHead(404).end();
    sendFile(request, response, file);
  });
});
afterEach(async () => {
  await server.close();
  rmSync(root, { recursive: true });
});

const text = (name: string) => ({ name, contents: Buffer.from(name) });
const images = gzipSync(writeTar([text("shapes/train/a/1.png"), text("shapes/train/b/2.png")]));
const notes = writeStoredZip([["notes/one.json", Buffer.from("{}")]]);

/** Offers a file on the server. */
function offer(file: string, bytes: Buffer, more: Partial<PublishedArchive> = {}): PublishedArchive {
  served.set(file, bytes);
  return { url: `${server.url}/${file}`, file, bytes: bytes.length, checksum: sha256(bytes), into: "", ...more };
}

function shapes(changes: Partial<PublishedSet> = {}): PublishedSet {
  return {
    name: "shapes",
    title: "Shapes",
    archives: [offer("shapes.tgz", images), offer("notes.zip", notes, { into: "shapes" })],
    place: "shapes",
    unpackedBytes: 100_000,
    expected: [
      { folder: "shapes/train", ending: ".png", count: 2 },
      { folder: "shapes/notes", ending: ".json", count: 1 },
    ],
    use: "",
    ...changes,
  };
}

const options = () => ({ root, transfers: { tries: 2, waitSeconds: 0.01, stallSeconds: 0.3 } });

/** The message with which it fails; nothing may be in place, nor beside. */
async function failure(set: PublishedSet, more: object = {}): Promise<string> {
  const error: unknown = await getSet(set, { ...options(), ...more }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(InputError);
  expect(readdirSync(root).filter((name) => name !== "downloads" && name !== "own")).toEqual([]);
  return (error as Error).message;
}

describe("getSet", () => {
  it("downloads, unpacks, counts and puts in place, and does nothing the second time", async () => {
    const stages: string[] = [];
    expect(await getSet(shapes(), { ...options(), onStage: (stage) => stages.push(stage.split(" ")[0]!) })).toBe(true);
    expect(readFileSync(join(root, "shapes/train/b/2.png"), "utf8")).toBe("shapes/train/b/2.png");
    expect(existsSync(join(root, "shapes/notes/one.json"))).toBe(true);
    expect(readdirSync(join(root, "downloads"))).toEqual([]);
    expect(stages).toEqual(["Downloading", "Downloading", "Unpacking", "Unpacking", "Counting"]);
    const requests = server.ranges.length;
    expect(await getSet(shapes(), options())).toBe(false);
    expect(server.ranges).toHaveLength(requests);
    await assertWhole(shapes(), root);
  });

  it("names another process that gets a set into the same folder, and leaves it alone", async () => {
    mkdirSync(join(root, "downloads"));
    const holder = { pid: process.ppid, started: null, host: hostname(), since: "2026-01-01T00:00:00.000Z" };
    writeFileSync(join(root, "downloads", lockFile), JSON.stringify(holder));
    expect(await failure(shapes())).toMatch(new RegExp(`process ${process.ppid} on .* has worked in it since 2026`));
    expect(server.ranges).toEqual([]);
  });

  it("takes archives that were downloaded before, and checks them", async () => {
    const set = shapes();
    mkdirSync(join(root, "downloads"));
    writeFileSync(join(root, "downloads/shapes.tgz"), images);
    writeFileSync(join(root, "downloads/notes.zip"), "other");
    expect(await failure(set)).toMatch(/notes\.zip: it must have \d+ bytes, current size is 5\. Remove it/);
    writeFileSync(join(root, "downloads/notes.zip"), notes);
    expect(await getSet(set, options())).toBe(true);
    expect(server.ranges).toEqual([]);
  });

  it("takes the user's archives and leaves them", async () => {
    const own = join(root, "own");
    mkdirSync(own);
    writeFileSync(join(own, "shapes.tgz"), images);
    expect(await getSet(shapes(), { ...options(), archives: own })).toBe(true);
    expect(server.ranges).toHaveLength(1);
    expect(readdirSync(own)).toEqual(["shapes.tgz"]);
  });

  it("takes another server with the same files, and holds them to the same checksums", async () => {
    const here = shapes();
    const set = { ...here, archives: here.archives.map((archive) => ({ ...archive, url: "http://127.0.0.1:9/none" })) };
    const mirror = `${server.url}/`;
    served.set("shapes.tgz", Buffer.from(images).fill(1, 100, 101));
    expect(await failure(set, { mirror })).toMatch(/must have the SHA256/);
    served.set("shapes.tgz", images);
    expect(await getSet(set, { ...options(), mirror })).toBe(true);
  });

  it.each(["nonsense", "ftp://127.0.0.1/sets"])("refuses the mirror %s before it asks for anything", async (mirror) => {
    expect(await failure(shapes(), { mirror })).toContain(
      `--mirror must be the address of a folder, http://... or https://..., current value is "${mirror}"`,
    );
    expect(server.ranges).toEqual([]);
  });

  it("removes what a killed call had unpacked before it looks for room", async () => {
    mkdirSync(join(root, ".shapes.unpacking"));
    writeFileSync(join(root, ".shapes.unpacking/half"), "");
    expect(await failure(shapes({ unpackedBytes: 1e18 }))).toContain("GB free");
  });

  it.each(["Downloading", "Unpacking", "Making"])(
    "leaves nothing unpacked when it is stopped while %s",
    async (when) => {
      const stop = new AbortController();
      const onStage = (stage: string) => {
        if (stage.startsWith(when)) setImmediate(() => stop.abort(new InterruptedError("Stopped")));
      };
      const finish = async (_: string, signal: AbortSignal | undefined) => {
        for (;;) {
          signal?.throwIfAborted();
          await new Promise(setImmediate);
        }
      };
      const stopped = getSet(shapes({ finish }), { ...options(), onStage, signal: stop.signal });
      await expect(stopped).rejects.toThrow(InterruptedError);
      expect(readdirSync(root)).toEqual(["downloads"]);
    },
  );

  it("looks for room on the disk before it downloads", async () => {
    expect(await failure(shapes({ unpackedBytes: 1e18 }))).toMatch(
      /must have 1000000000\.0 GB free, for the archives and the unpacked files; choose another folder by --data-root/,
    );
    expect(server.ranges).toEqual([]);
  });

  it("puts nothing in place that has other files than expected, leads out of its folder, or is a bomb", async () => {
    const wrong = shapes();
    const expected = wrong.expected.map((one) => ({ ...one, count: one.count + 1 }));
    expect(await failure({ ...wrong, expected })).toMatch(
      /train: must have 3 files \*\.png, current count is 2\n.*notes/,
    );
    const escape = offer("shapes.tgz", gzipSync(writeTar([text("../escaped.png")])));
    rmSync(join(root, "downloads"), { recursive: true });
    expect(await failure({ ...wrong, archives: [escape] })).toContain("leads out of the folder");
    rmSync(join(root, "downloads"), { recursive: true });
    expect(await failure({ ...shapes(), unpackedBytes: 16 })).toContain("its files have more than 18 bytes");
  });

  it("says what is wrong with a set in place that is not whole, and leaves it", async () => {
    mkdirSync(join(root, "shapes"));
    await expect(getSet(shapes(), options())).rejects.toThrow(
      /it is not whole\. Move or remove .*shapes and get it again/,
    );
    expect(readdirSync(join(root, "shapes"))).toEqual([]);
  });

  it("counts the files of folders that are links", async () => {
    for (const file of ["elsewhere/1.png", "elsewhere/._1.png", "shapes/train/b/2.png", "shapes/notes/one.json"]) {
      mkdirSync(join(root, file, ".."), { recursive: true });
      writeFileSync(join(root, file), "");
    }
    symlinkSync(join(root, "elsewhere"), join(root, "shapes/train/a"));
    await assertWhole(shapes(), root);
  });

  it("makes class folders of ImageNet's archives, also of the validation images", async () => {
    const own = join(root, "own");
    mkdirSync(own);
    // Large beside the headers of a tar archive, as photographs are.
    const photograph = (name: string) => ({ name, contents: Buffer.alloc(100_000, name) });
    const inner = (name: string) => writeTar([photograph(`${name}_1.JPEG`), photograph(`${name}_2.JPEG`)]);
    const train = writeTar(["n02119789", "n02100735"].map((name) => ({ name: `${name}.tar`, contents: inner(name) })));
    const val = writeTar([1, 2, 3].map((number) => text(`ILSVRC2012_val_0000000${number}.JPEG`)));
    const data = "ILSVRC2012_devkit_t12/data";
    const kit = gzipSync(
      writeTar([
        { name: `${data}/meta.mat`, contents: readFileSync(join(__dirname, "../fixtures/imagenet-meta.mat")) },
        { name: `${data}/ILSVRC2012_validation_ground_truth.txt`, contents: Buffer.from("2\n1\n2\n") },
      ]),
    );
    const archives = [
      offer("train.tar", train, { into: "imagenet/train", nested: true }),
      offer("val.tar", val, { into: "imagenet/val" }),
      offer("kit.tar.gz", kit, { into: "imagenet", bytes: undefined }),
    ];
    const set: PublishedSet = {
      ...{ name: "imagenet", title: "ImageNet", archives, place: "imagenet", unpackedBytes: 402_000, use: "" },
      expected: [
        { folder: "imagenet/train", ending: ".JPEG", count: 4 },
        { folder: "imagenet/val", ending: ".JPEG", count: 3 },
      ],
      ownArchives: true,
      finish: publishedSet("imagenet").finish!,
    };
    expect(await failure(set)).toMatch(
      /Download them there, and name their folder by --archives, none is named; missing are:\ntrain\.tar, 0\.4 MB\nval\.tar, 0\.0 MB\nkit\.tar\.gz$/,
    );
    writeFileSync(join(own, "train.tar"), train);
    expect(await failure(set, { archives: own })).toMatch(
      /by --archives, current one is .*own; missing are:\nval\.tar, .*\nkit\.tar\.gz$/,
    );
    writeFileSync(join(own, "val.tar"), val);
    writeFileSync(join(own, "kit.tar.gz"), kit);
    expect(await getSet(set, { ...options(), archives: own })).toBe(true);
    expect(server.ranges).toEqual([]);
    expect(readdirSync(join(root, "imagenet/train/n02119789"))).toEqual(["n02119789_1.JPEG", "n02119789_2.JPEG"]);
    const inVal = (name: string) => readdirSync(join(root, "imagenet/val", name));
    expect(inVal("n02119789")).toEqual(["ILSVRC2012_val_00000002.JPEG"]);
    expect(inVal("n02100735")).toEqual(["ILSVRC2012_val_00000001.JPEG", "ILSVRC2012_val_00000003.JPEG"]);
  });
});

describe("the published sets", () => {
  it("are in place only where each of their folders has something", () => {
    const found = () => findPublishedSets(root).find(({ name }) => name === "coco2017")!;
    mkdirSync(join(root, "coco/train2017"), { recursive: true });
    expect(found()).toEqual({
      name: "coco2017",
      found: false,
      detail: `${join(root, "coco")} lacks files in train2017, val2017, annotations; remove it, and get it by: moco data get coco2017`,
    });
    for (const folder of ["train2017", "val2017", "annotations"]) {
      mkdirSync(join(root, "coco", folder), { recursive: true });
      writeFileSync(join(root, "coco", folder, "1"), "");
    }
    expect(found()).toEqual({ name: "coco2017", found: true, detail: join(root, "coco") });
  });

  it("are found by name, and listed for an unknown one", () => {
    expect(publishedSet("voc2007").title).toContain("PASCAL VOC 2007");
    expect(() => publishedSet("mnist")).toThrow(/choose one of cifar10, cifar100, .*, current value is "mnist"/);
  });

  it.each(publishedSets)("$name is described whole", ({ archives, place, expected }) => {
    const digits = { md5: 32, sha1: 40, sha256: 64 };
    for (const { file, checksum } of archives) {
      expect(file).toMatch(/\.(zip|tar|tgz|tar\.gz)$/);
      expect(checksum.hex).toMatch(new RegExp(`^[0-9a-f]{${digits[checksum.algorithm]}}$`));
    }
    for (const { folder } of expected) expect(`${folder}/`).toContain(`${place}/`);
  });
});
