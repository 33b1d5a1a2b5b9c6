import { randomStream } from "../engine/random";
import { groupEmoji } from "./emoji-groups";
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
} from "./emoji-package";
import { parts, type EmojiSplit, type Part } from "./emoji-split";
import { nearCopies } from "./near-copies";
import { splitByGroup } from "./split-by-group";

/** Shares of the parts, of images. */
export const emojiShares: Readonly<Record<Part, number>> = { train: 0.6, validation: 0.15, test: 0.25 };

/** Images of one hand whose correlation is above this, upright, mirrored or turned, are one group. Our choice. */
const nearCopyThreshold = 0.98;

/** Side in pixels at which images are compared. */
const comparedSize = 32;

const splitSeed = 0;

/** Makes the split from the installed packages. The same packages give the same split on every machine. */
export async function makeEmojiSplit(): Promise<EmojiSplit> {
  const json = await readPackageFile("google", "emoji.json");
  const entries = parseEmojiEntries(json);
  const files: Record<string, string> = { [`${emojiPackage("google")}/emoji.json`]: sha256(json) };
  const packages: Record<string, string> = {};
  const copies: (readonly [number, number])[] = [];
  for (const vendor of emojiVendors) {
    packages[emojiPackage(vendor)] = await emojiPackageVersion(vendor);
    for (const size of emojiSizes) {
      const sheet = await readPackageFile(vendor, sheetPath(vendor, size));
      files[`${emojiPackage(vendor)}/${sheetPath(vendor, size)}`] = sha256(sheet);
      if (size !== comparedSize) continue;
      const images = await cutSheet(sheet, entries, size);
      copies.push(...nearCopies(images, size, { threshold: nearCopyThreshold, turned: true }));
    }
  }

  const groups = groupEmoji(entries, copies);
  const categories = [...new Set(entries.map((entry) => entry.category))].sort();
  const groupNames = [...new Set(groups)];
  const partOf = splitByGroup(
    {
      labels: entries.map((entry) => categories.indexOf(entry.category)),
      groups: groups.map((group) => groupNames.indexOf(group)),
    },
    parts.map((part) => emojiShares[part]),
    randomStream(splitSeed, "emoji split"),
  );
  const emoji = entries.map(({ unified, name, category }, index) => ({
    unified,
    name,
    category,
    group: groups[index]!,
    part: parts[partOf[index]!]!,
  }));
  return { rule, seed: splitSeed, packages, files, counts: countImages(emoji, categories), emoji };
}

/** The text of the split file: one emoji a line, so that a change shows as the lines it changes. */
export function formatEmojiSplit({ emoji, ...head }: EmojiSplit): string {
  const lines = emoji.map((entry) => `    ${JSON.stringify(entry)}`);
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "emoji": [\n${lines.join(",\n")}\n  ]\n}\n`;
}

const rule =
  "The unit is a group. One group are: variants by skin tone, gender, hair, direction, and person/man/woman; " +
  "all families and couples; clock faces; keycaps; one drawing in several states or colors (moons, globes, hearts, " +
  "circles, squares, diamonds, books, apples, medals, loudspeakers, mailboxes, hourglasses); and emoji of which either hand's " +
  `images at ${comparedSize} px on white correlate above ${nearCopyThreshold}, upright, mirrored or turned by quarters. ` +
  "Left out: skin-tone variants, and the category Component. " +
  "Groups are split 60 % train, 15 % validation, 25 % test of images, stratified by category, seeded.";

/** Images (two an emoji) by category and part, and groups by part. */
function countImages(
  emoji: EmojiSplit["emoji"],
  categories: readonly string[],
): Record<string, Record<string, number>> {
  const count = (wanted: readonly { readonly part: Part }[]): Record<string, number> =>
    Object.fromEntries(parts.map((part) => [part, wanted.filter((entry) => entry.part === part).length]));
  const groupParts = new Map(emoji.map(({ group, part }) => [group, { part }]));
  const bothHands = emoji.flatMap((entry) => emojiVendors.map(() => entry));
  return {
    ...Object.fromEntries(
      categories.map((category) => [category, count(bothHands.filter((entry) => entry.category === category))]),
    ),
    "all images": count(bothHands),
    groups: count([...groupParts.values()]),
  };
}
