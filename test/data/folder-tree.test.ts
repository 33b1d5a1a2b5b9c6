import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { foldersOf, walk } from "../../src/data/folder-tree";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "moco-tree-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(...paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), "");
  }
}

/** Paths of all files. */
async function filesOf(path = root): Promise<string[]> {
  return [...foldersOf(await walk(path))].flatMap(([at, { files }]) => files.map((file) => join(at, file)));
}

describe("walk", () => {
  it("finds files at any depth, sorted, and says what begins with a dot without looking into it", async () => {
    write("b.txt", "a/y.png", "a/x.png", "a/deep/er/z.png", ".hidden/1.png", "a/._x.png");
    expect(await filesOf()).toEqual(["b.txt", "a/x.png", "a/y.png", "a/deep/er/z.png"]);
    const { hidden, folders } = await walk(root);
    expect([hidden, folders[0]!.hidden]).toEqual([[".hidden"], ["._x.png"]]);
  });

  it("follows links, to the same folder twice too, and ends at those to a folder that they lie in", async () => {
    write("elsewhere/1.png", "set/c/2.png");
    for (const name of ["a", "b"]) symlinkSync(join(root, "elsewhere"), join(root, "set", name));
    symlinkSync(".", join(root, "set/c/self"));
    symlinkSync("..", join(root, "set/c/up"));
    expect(await filesOf(join(root, "set"))).toEqual(["a/1.png", "b/1.png", "c/2.png"]);
    const { unusable } = (await walk(join(root, "set"))).folders[2]!;
    expect([...unusable.keys()]).toEqual(["self", "up"]);
    expect(unusable.get("self")).toBe("a link to a folder that it lies in");
  });

  it("opens nothing that is no file: a named pipe, a link that leads nowhere", async () => {
    execFileSync("mkfifo", [join(root, "pipe.jpg")]);
    symlinkSync("pipe.jpg", join(root, "to-pipe.jpg"));
    symlinkSync("nowhere", join(root, "broken.jpg"));
    const { files, unusable } = await walk(root);
    expect(files).toEqual([]);
    expect(Object.fromEntries(unusable)).toEqual({
      "broken.jpg": "a link that leads nowhere",
      "pipe.jpg": "neither a file nor a folder",
      "to-pipe.jpg": "neither a file nor a folder",
    });
  });

  it("says of a path that is none, or a file, that it is", async () => {
    write("file");
    await expect(walk(join(root, "none"))).rejects.toThrow(
      `Cannot read the folder ${join(root, "none")}: there is none`,
    );
    await expect(walk(join(root, "file"))).rejects.toThrow(/file: it is a file, name the folder around it$/);
  });
});
