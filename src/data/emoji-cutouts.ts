import { emojiClasses, emojiFile } from "./emoji";
import { cutSheetWithAlpha, emojiVendors, parseEmojiEntries, sheetPath } from "./emoji-package";
import { readEmojiSplit, type Part } from "./emoji-split";

/** Side in pixels of the drawings as cut: the packages' largest. */
export const cutoutSize = 64;

/** A drawing with its alpha channel. */
export interface Cutout {
  /** As in the emoji set, for example "1f600/google". */
  readonly id: string;
  /** Class index, as in the emoji set. */
  readonly label: number;
  /** [cutoutSize, cutoutSize, 4], red, green, blue, alpha; colors are not multiplied by alpha. */
  readonly pixels: Uint8Array;
  /** Column of the first pixel that is not wholly transparent. */
  readonly left: number;
  /** Its row. */
  readonly top: number;
  /** Pixels from the first to the last that is not wholly transparent. */
  readonly width: number;
  readonly height: number;
}

/**
 * Loads the drawings of one part of the emoji set, by both hands, with their alpha channel. The part is that of the committed
 * split, so a drawing of `test` or its variant is in no image that pre-training sees.
 *
 * @throws InputError when the packages are missing or not those that the split was made from
 */
export async function loadEmojiCutouts(
  part: Part,
): Promise<{ readonly classes: readonly string[]; readonly cutouts: readonly Cutout[] }> {
  const split = await readEmojiSplit();
  const classes = emojiClasses(split);
  const wanted = new Map(split.emoji.filter((emoji) => emoji.part === part).map((emoji) => [emoji.unified, emoji]));
  const entries = parseEmojiEntries(await emojiFile(split, "google", "emoji.json")).filter(({ unified }) =>
    wanted.has(unified),
  );
  const length = cutoutSize * cutoutSize * 4;
  const byHand = await Promise.all(
    emojiVendors.map(async (vendor) => {
      const sheet = await emojiFile(split, vendor, sheetPath(vendor, cutoutSize));
      const images = await cutSheetWithAlpha(sheet, entries, cutoutSize);
      return entries.map(({ unified }, index): Cutout => {
        const pixels = images.subarray(index * length, (index + 1) * length);
        const label = classes.indexOf(wanted.get(unified)!.category);
        return { id: `${unified.toLowerCase()}/${vendor}`, label, pixels, ...extent(pixels) };
      });
    }),
  );
  return { classes, cutouts: byHand.flat() };
}

/** The smallest box around what is not wholly transparent. */
function extent(pixels: Uint8Array): Pick<Cutout, "left" | "top" | "width" | "height"> {
  let [left, top, right, bottom] = [cutoutSize, cutoutSize, 0, 0];
  for (let y = 0; y < cutoutSize; y++) {
    for (let x = 0; x < cutoutSize; x++) {
      if (pixels[(y * cutoutSize + x) * 4 + 3] === 0) continue;
      left = Math.min(left, x);
      top = Math.min(top, y);
      right = Math.max(right, x + 1);
      bottom = Math.max(bottom, y + 1);
    }
  }
  return { left, top, width: right - left, height: bottom - top };
}
