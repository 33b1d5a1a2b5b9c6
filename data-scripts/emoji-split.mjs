// Makes data-scripts/emoji-split.json from the installed packages, and says how many near copies the split leaves.
// Usage: npm run build && node data-scripts/emoji-split.mjs
import { writeFileSync } from "node:fs";
import emojiSplit from "../dist/data/emoji-split.js";
import emoji from "../dist/data/emoji.js";
import maker from "../dist/data/make-emoji-split.js";
import copies from "../dist/data/near-copies.js";

const split = await maker.makeEmojiSplit();
writeFileSync(emojiSplit.emojiSplitPath, maker.formatEmojiSplit(split));
console.table(split.counts);

const { train, validation, test } = await emoji.loadEmoji();
for (const part of [validation, test]) {
  const share = copies.nearCopyShare(part.pixels, train.pixels, 0.9, part.size);
  console.log(`${part.name}: ${(100 * share).toFixed(1)} % have a training image at centered cosine above .9`);
}
