import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { z } from "zod";
import { InputError } from "../errors";

/** The two hands: Noto Emoji by Google and Twemoji by Twitter. Other vendors' drawings have no clear license. */
export const emojiVendors = ["google", "twitter"] as const;
export type EmojiVendor = (typeof emojiVendors)[number];

/** Sides in pixels for which the packages have a sheet of all drawings. */
export const emojiSizes = [16, 20, 32, 64] as const;
export type EmojiSize = (typeof emojiSizes)[number];

/** One emoji as the packages describe it. */
export interface EmojiEntry {
  /** Code points in upper-case hexadecimal, joined by hyphens, for example "1F600". */
  readonly unified: string;
  readonly name: string;
  readonly category: string;
  readonly subcategory: string;
  /** Column and row on the sheets. */
  readonly column: number;
  readonly row: number;
}

const entrySchema = z.array(
  z.object({
    unified: z.string(),
    name: z.string(),
    category: z.string(),
    subcategory: z.string(),
    sheet_x: z.number().int(),
    sheet_y: z.number().int(),
    has_img_google: z.boolean(),
    has_img_twitter: z.boolean(),
  }),
);

const fromHere = createRequire(__filename);

/** npm package that holds a vendor's drawings. */
export function emojiPackage(vendor: EmojiVendor): string {
  return `emoji-datasource-${vendor}`;
}

/** Path of the sheet of all drawings of one size, inside the vendor's package. "clean" sheets never borrow another vendor's drawing. */
export function sheetPath(vendor: EmojiVendor, size: EmojiSize): string {
  return `img/${vendor}/sheets-clean/${size}.png`;
}

/**
 * Version of a vendor's installed package.
 *
 * @throws InputError when the package is not installed
 */
export async function emojiPackageVersion(vendor: EmojiVendor): Promise<string> {
  const file = await readPackageFile(vendor, "package.json");
  return z.object({ version: z.string() }).parse(readJson(file)).version;
}

/** SHA-256 of a file's bytes, in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A file of a vendor's package, found from this project whatever the current folder is. */
export async function readPackageFile(vendor: EmojiVendor, path: string): Promise<Uint8Array> {
  try {
    return await readFile(join(dirname(fromHere.resolve(`${emojiPackage(vendor)}/package.json`)), path));
  } catch (cause) {
    throw new InputError(`Cannot read the emoji drawings: run \`npm ci\`, missing is ${emojiPackage(vendor)}/${path}`, {
      cause,
    });
  }
}

/**
 * The emoji that both hands have drawn, in the order of their code points.
 *
 * Skin-tone variants are left out: with them, 59 % of the images would be people. So is the category Component, the
 * five bare skin-tone swatches.
 */
export function parseEmojiEntries(json: Uint8Array): readonly EmojiEntry[] {
  return entrySchema
    .parse(readJson(json))
    .filter((entry) => entry.has_img_google && entry.has_img_twitter && entry.category !== "Component")
    .map(({ sheet_x, sheet_y, unified, name, category, subcategory }) => ({
      unified,
      name,
      category,
      subcategory,
      column: sheet_x,
      row: sheet_y,
    }))
    .sort((a, b) => (a.unified < b.unified ? -1 : 1));
}

/**
 * Cuts drawings out of a sheet and lays them on white.
 *
 * @param sheet - bytes of the PNG
 * @param entries - the emoji wanted
 * @param size - side of a drawing in pixels; each lies in a cell with a margin of one pixel
 * @returns [entries, size, size, 3], red, green, blue
 */
export async function cutSheet(
  sheet: Uint8Array,
  entries: readonly Pick<EmojiEntry, "column" | "row">[],
  size: EmojiSize,
): Promise<Uint8Array> {
  return cutCells(sharp(sheet).flatten({ background: "#ffffff" }), entries, size, 3);
}

/**
 * Cuts drawings out of a sheet with their alpha channel.
 *
 * @returns [entries, size, size, 4], red, green, blue, alpha; colors are not multiplied by alpha
 */
export async function cutSheetWithAlpha(
  sheet: Uint8Array,
  entries: readonly Pick<EmojiEntry, "column" | "row">[],
  size: EmojiSize,
): Promise<Uint8Array> {
  return cutCells(sharp(sheet).ensureAlpha(), entries, size, 4);
}

function readJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}

async function cutCells(
  sheet: Sharp,
  entries: readonly Pick<EmojiEntry, "column" | "row">[],
  size: EmojiSize,
  channels: number,
): Promise<Uint8Array> {
  const { data, info } = await sheet.raw().toBuffer({ resolveWithObject: true });
  const cell = size + 2;
  const rowBytes = size * channels;
  const images = new Uint8Array(entries.length * size * rowBytes);
  let written = 0;
  for (const { column, row } of entries) {
    for (let y = 0; y < size; y++) {
      const start = ((row * cell + 1 + y) * info.width + column * cell + 1) * channels;
      images.set(data.subarray(start, start + rowBytes), written);
      written += rowBytes;
    }
  }
  return images;
}
