import { describe, expect, it, vi } from "vitest";
import { loadEmoji } from "../../src/data/emoji";
import * as emojiSplit from "../../src/data/emoji-split";
import { InputError } from "../../src/errors";

// The committed split, as if it had been made from other packages.
vi.mock("../../src/data/emoji-split", async (original) => ({
  ...(await original<typeof emojiSplit>()),
  readEmojiSplit: vi.fn(),
}));

async function committed(): Promise<emojiSplit.EmojiSplit> {
  const original = await vi.importActual<typeof emojiSplit>("../../src/data/emoji-split");
  return original.readEmojiSplit();
}

describe("loadEmoji with other packages than those of the split", () => {
  it("refuses another version and says what to do", async () => {
    const split = await committed();
    vi.mocked(emojiSplit.readEmojiSplit).mockResolvedValue({
      ...split,
      packages: { ...split.packages, "emoji-datasource-twitter": "15.1.0" },
    });
    await expect(loadEmoji()).rejects.toThrow(InputError);
    await expect(loadEmoji()).rejects.toThrow(
      "made for emoji-datasource-twitter 15.1.0; run `npm ci`, current version is 16.0.0",
    );
  });

  it("refuses a sheet of other bytes", async () => {
    const split = await committed();
    const sheet = "emoji-datasource-google/img/google/sheets-clean/32.png";
    vi.mocked(emojiSplit.readEmojiSplit).mockResolvedValue({
      ...split,
      files: { ...split.files, [sheet]: "0".repeat(64) },
    });
    await expect(loadEmoji()).rejects.toThrow(`${sheet} is not the file that the split was made from`);
  });
});
