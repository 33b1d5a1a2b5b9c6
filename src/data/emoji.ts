import { InputError } from "../errors";
import {
  cutSheet,
  emojiPackage,
  emojiPackageVersion,
  emojiSizes,
  emojiVendors,
  parseEmojiEntries,
  readPackageFile,
  sha256,
  sheetPath,
  type EmojiSize,
  type EmojiVendor,
} from "./emoji-package";
import { parts, readEmojiSplit, type EmojiSplit, type Part } from "./emoji-split";
import { joinParts, takeImages } from "./image-data";
import type { ImageData, PixelSet } from "./image-set";

/** Who made the drawings and under which licenses. What was changed must be said after it. */
export const emojiLicences =
  "Drawings: Twemoji, copyright Twitter, Inc and other contributors, CC-BY 4.0 (https://creativecommons.org/licenses/by/4.0/); " +
  "Noto Emoji by Google, Apache-2.0 (https://www.apache.org/licenses/LICENSE-2.0).";

/** Credit that every page and notebook showing the drawings must print. */
export const emojiCredit = `${emojiLicences} Changed: scaled down, laid on white.`;

/** Options of {@link loadEmoji}. */
export interface EmojiOptions {
  /**
   * Side of an image in pixels, one of {@link emojiSizes}: the packages' own reductions, nothing is resized here.
   *
   * @default 32
   */
  readonly size?: number;
}

/**
 * Loads the emoji set: 1,906 emoji drawn by two hands (Noto by Google, Twemoji by Twitter) on white, nine classes, split by
 * the committed file `data-scripts/emoji-split.json`. An image's twin is the other artist's drawing of the same emoji.
 *
 * @throws InputError when the packages are missing or not those that the split was made from, or there is no such size
 */
export async function loadEmoji({ size = 32 }: EmojiOptions = {}): Promise<ImageData<PixelSet>> {
  if (!isEmojiSize(size)) {
    throw new InputError(
      `Cannot load the emoji set: size must be one of ${emojiSizes.join(", ")}, current value is ${size}`,
    );
  }
  const split = await readEmojiSplit();
  const json = await emojiFile(split, "google", "emoji.json");
  const entries = parseEmojiEntries(json);
  const sheets = await Promise.all(
    emojiVendors.map(async (vendor) =>
      cutSheet(await emojiFile(split, vendor, sheetPath(vendor, size)), entries, size),
    ),
  );

  const all = interleaveHands(split, sheets, size);
  const part = (wanted: Part): PixelSet =>
    takeImages(
      all,
      `emoji/${wanted}`,
      split.emoji.flatMap((emoji, index) =>
        emoji.part === wanted ? emojiVendors.map((_, hand) => index * emojiVendors.length + hand) : [],
      ),
    );
  const [train, validation, test] = parts.map(part) as [PixelSet, PixelSet, PixelSet];
  return joinParts("emoji", train, validation, test);
}

/** All images in the order of the split file, the hands of an emoji one after the other. */
function interleaveHands(split: EmojiSplit, sheets: readonly Uint8Array[], size: EmojiSize): PixelSet {
  const length = size * size * 3;
  const classes = emojiClasses(split);
  const groups = [...new Set(split.emoji.map((emoji) => emoji.group))];
  const hands = emojiVendors.length;
  const groupIndex = new Map(groups.map((group, index) => [group, index]));
  const count = split.emoji.length * hands;
  const pixels = new Uint8Array(count * length);
  for (let image = 0; image < count; image++) {
    const emoji = Math.floor(image / hands);
    pixels.set(sheets[image % hands]!.subarray(emoji * length, (emoji + 1) * length), image * length);
  }
  const bothHands = split.emoji.flatMap((emoji) => emojiVendors.map((vendor) => ({ ...emoji, vendor })));
  return {
    name: "emoji",
    size,
    pixels,
    labels: Int32Array.from(bothHands, ({ category }) => classes.indexOf(category)),
    classes,
    groups: Int32Array.from(bothHands, ({ group }) => groupIndex.get(group)!),
    twins: Int32Array.from(bothHands, (_, image) => image ^ 1),
    ids: bothHands.map(({ unified, vendor }) => `${unified.toLowerCase()}/${vendor}`),
  };
}

/** The nine categories in the order of the labels. */
export function emojiClasses(split: EmojiSplit): readonly string[] {
  return [...new Set(split.emoji.map((emoji) => emoji.category))].sort();
}

/**
 * A file of a package.
 *
 * @throws InputError when it is missing or not the one that the split was made from
 */
export async function emojiFile(split: EmojiSplit, vendor: EmojiVendor, path: string): Promise<Uint8Array> {
  const name = emojiPackage(vendor);
  const version = await emojiPackageVersion(vendor);
  if (version !== split.packages[name]) {
    throw new InputError(
      `Cannot load the emoji set: its split was made for ${name} ${split.packages[name]}; run \`npm ci\`, current version is ${version}`,
    );
  }
  const file = await readPackageFile(vendor, path);
  if (sha256(file) !== split.files[`${name}/${path}`]) {
    throw new InputError(
      `Cannot load the emoji set: ${name}/${path} is not the file that the split was made from; run \`npm ci\`, current SHA-256 is ${sha256(file)}`,
    );
  }
  return file;
}

function isEmojiSize(size: number): size is EmojiSize {
  return (emojiSizes as readonly number[]).includes(size);
}
