import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../errors";

/** Parts of a data set, in the order in which they are filled. */
export const parts = ["train", "validation", "test"] as const;
export type Part = (typeof parts)[number];

const splitSchema = z.object({
  rule: z.string(),
  seed: z.number().int(),
  packages: z.record(z.string()),
  /** SHA-256 of each file that the set is read from, by package and path. */
  files: z.record(z.string()),
  counts: z.record(z.record(z.number().int())),
  emoji: z.array(
    z.object({
      unified: z.string(),
      name: z.string(),
      category: z.string(),
      group: z.string(),
      part: z.enum(parts),
    }),
  ),
});

/** The split of the emoji set: what it was made from, by which rule, and the part of every emoji. Both hands' drawings of it go there. */
export type EmojiSplit = z.infer<typeof splitSchema>;

/** The committed split, found from `src/data` and from `dist/data` alike. */
export const emojiSplitPath = join(__dirname, "..", "..", "data-scripts", "emoji-split.json");

/** Reads the committed split. */
export async function readEmojiSplit(): Promise<EmojiSplit> {
  let text: string;
  try {
    text = await readFile(emojiSplitPath, "utf8");
  } catch (cause) {
    throw new InputError(`Cannot read the split of the emoji set: restore it from git, missing is ${emojiSplitPath}`, {
      cause,
    });
  }
  return splitSchema.parse(JSON.parse(text));
}
