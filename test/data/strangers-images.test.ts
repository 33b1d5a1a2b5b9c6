import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadImageFolder } from "../../src/data/image-folder";
import { pixelReader } from "../../src/detection/data/image-files";
import { changeBytes, changedFiles, sometimes } from "../strangers/changed-bytes";
import { everyCaseEndsWell, strangersTimeout } from "../strangers/ends-well";

const formats = ["png", "jpeg", "webp", "gif", "tiff"] as const;
const [width, height] = [12, 9];

let root: string;
let images: readonly Buffer[];
/** Of different pixels: equal ones would be one group, which no part is cut out of. */
let grays: readonly Buffer[];
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "moco-strangers-"));
  const pixels = Buffer.from(Array.from({ length: width * height * 3 }, (_, at) => (at * 37) % 256));
  const image = sharp(pixels, { raw: { width, height, channels: 3 } });
  images = await Promise.all(formats.map((format) => image.clone().toFormat(format).toBuffer()));
  const gray = (value: number) =>
    ({ create: { width, height, channels: 3, background: `rgb(${value},0,0)` } }) as const;
  grays = await Promise.all(Array.from({ length: 16 }, (_, at) => sharp(gray(at)).png().toBuffer()));
});
afterAll(() => rmSync(root, { recursive: true }));

const changed = changedFiles(formats.length);

describe("images of strangers", () => {
  it("end in all of their pixels or in an error that names the file", { timeout: strangersTimeout }, () =>
    everyCaseEndsWell({
      reader: "images (PNG, JPEG, WebP, GIF, TIFF), bytes changed",
      cases: changed,
      short: 30,
      read: ({ file, changes }) => {
        writeFileSync(join(root, "image"), changeBytes(images[file]!, changes));
        return pixelReader(root)({ id: 1, fileName: "image", width, height, objects: [] });
      },
      names: join(root, "image"),
      check: (pixels) => expect(pixels).toHaveLength(width * height * 3),
    }),
  );
});

describe("class folders of strangers", () => {
  const names = [
    "a",
    "b",
    "train",
    "val",
    "test",
    "__proto__",
    "constructor",
    "\u202e",
    "a\nb",
    "=1",
    ".x",
    "<script>",
    " ",
  ];
  const files = ["1.png", "2.jpg", "3.PNG", "4.bmp", "x", "__proto__.png", "\u001b[2J.png"];
  const folder = fc.record({
    name: fc.constantFrom(...names),
    inside: sometimes(fc.constantFrom(...names)),
    files: fc.array(fc.record({ name: fc.constantFrom(...files), changed: sometimes(changed) }), {
      maxLength: 3,
    }),
  });
  const classes = fc.record({
    // Half of them have two classes that are whole.
    whole: fc.boolean(),
    folders: fc.array(folder, { maxLength: 3 }),
  });

  it("end in classes that are the folders, or in an error that names the folder", { timeout: strangersTimeout }, () => {
    let count = 0;
    return everyCaseEndsWell({
      reader: "class folders, names and files of any kind",
      cases: classes,
      short: 12,
      read: async ({ whole, folders }) => {
        const set = join(root, `set-${count++}`);
        mkdirSync(set);
        const write = (path: string, name: string, bytes: Uint8Array) => {
          mkdirSync(path, { recursive: true });
          writeFileSync(join(path, name), bytes);
        };
        if (whole) grays.forEach((bytes, at) => write(join(set, at % 2 ? "p" : "q"), `${at}.png`, bytes));
        for (const { name, inside, files } of folders) {
          const path = join(set, name, inside ?? "");
          mkdirSync(path, { recursive: true });
          for (const file of files) {
            const bytes = file.changed ? changeBytes(images[file.changed.file]!, file.changed.changes) : images[0]!;
            write(path, file.name, bytes);
          }
        }
        try {
          return await loadImageFolder(set, { size: 8 });
        } finally {
          rmSync(set, { recursive: true });
        }
      },
      names: root,
      check: ({ train, validation, test }) => {
        for (const part of [train, validation, test]) {
          expect(part.ids).toHaveLength(part.labels.length);
          for (const [index, label] of part.labels.entries()) {
            // Without classes, and so without parts, labels say nothing.
            if (part.classes.length > 0) expect(part.ids[index]!.split("/")).toContain(part.classes[label]);
          }
        }
      },
    });
  });
});
