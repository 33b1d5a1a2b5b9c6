import { afterEach, describe, expect, it, vi } from "vitest";
import { loadEmoji } from "../../src/data/emoji";
import * as emojiSplit from "../../src/data/emoji-split";
import type { EmojiSplit } from "../../src/data/emoji-split";
import { InputError } from "../../src/errors";

afterEach(() => vi.restoreAllMocks());

/** The committed split, as if it had been made from other packages. */
async function splitOf(changed: (split: EmojiSplit) => Partial<EmojiSplit>): Promise<void> {
  const split = await emojiSplit.readEmojiSplit();
  vi.spyOn(emojiSplit, "readEmojiSplit").mockResolvedValue({ ...split, ...changed(split) });
}

describe("loadEmoji with other packages than those of the split", () => {
  it("refuses another version and says what to do", async () => {
    await splitOf(({ packages }) => ({ packages: { ...packages, "emoji-datasource-twitter": "15.1.0" } }));
    await expect(loadEmoji()).rejects.toThrow(InputError);
    await expect(loadEmoji()).rejects.toThrow(
      "made for emoji-datasource-twitter 15.1.0; run `npm ci`, current version is 16.0.0",
    );
  });

  it("refuses a sheet of other bytes", async () => {
    const sheet = "emoji-datasource-google/img/google/sheets-clean/32.png";
    await splitOf(({ files }) => ({ files: { ...files, [sheet]: "0".repeat(64) } }));
    await expect(loadEmoji()).rejects.toThrow(`${sheet} is not the file that the split was made from`);
  });
});
