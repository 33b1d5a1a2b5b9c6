import { describe, expect, it } from "vitest";
import { groupEmoji, variantKey } from "../../src/data/emoji-groups";
import type { EmojiEntry } from "../../src/data/emoji-package";

function emoji(unified: string, subcategory = "", name = ""): EmojiEntry {
  return { unified, name, category: "", subcategory, column: 0, row: 0 };
}

function keys(...codes: string[]): Set<string> {
  return new Set(codes.map((code) => variantKey(emoji(code))));
}

describe("variantKey", () => {
  it("takes woman, man and person of one activity together, whichever way they face", () => {
    expect(
      keys("1F3C3", "1F3C3-200D-2640-FE0F", "1F3C3-200D-2642-FE0F", "1F3C3-200D-2640-FE0F-200D-27A1-FE0F").size,
    ).toBe(1);
    expect(keys("1F575-FE0F", "1F575-FE0F-200D-2640-FE0F").size).toBe(1);
  });

  it("takes woman, man and person of one role together, and roles apart", () => {
    expect(keys("1F468-200D-1F33E", "1F469-200D-1F33E", "1F9D1-200D-1F33E").size).toBe(1);
    expect(keys("1F468-200D-1F33E", "1F468-200D-1F373").size).toBe(2);
  });

  it("takes skin tones and hair together", () => {
    expect(keys("1F44B", "1F44B-1F3FB", "1F44B-1F3FF").size).toBe(1);
    expect(keys("1F468", "1F469-200D-1F9B0", "1F9D1-200D-1F9B3", "1F471", "1F471-200D-2640-FE0F", "1F9D4").size).toBe(
      1,
    );
  });

  it("takes prince and princess, the three Clauses, the pregnant and the dancers together", () => {
    expect(keys("1F934", "1F478", "1FAC5").size).toBe(1);
    expect(keys("1F385", "1F936", "1F9D1-200D-1F384").size).toBe(1);
    expect(keys("1F930", "1FAC3", "1FAC4").size).toBe(1);
    expect(keys("1F483", "1F57A").size).toBe(1);
  });

  it("takes clock faces, keycaps, moons and colored hearts together, and each kind apart", () => {
    const kinds = [
      keys("1F550", "1F55B", "1F567"),
      keys("0023-FE0F-20E3", "0039-FE0F-20E3", "1F51F"),
      keys("1F311", "1F315"),
      keys("2764-FE0F", "1F499", "1FA77"),
    ];
    expect(kinds.map((kind) => kind.size)).toEqual([1, 1, 1, 1]);
    expect(new Set(kinds.flatMap((kind) => [...kind])).size).toBe(4);
  });

  it("takes all families and couples together", () => {
    const couple = variantKey(emoji("1F491", "family", "COUPLE WITH HEART"));
    expect(variantKey(emoji("1F46A", "person-symbol", "FAMILY"))).toBe(couple);
  });

  it("leaves signs that stand alone, and hearts in sequences, to themselves", () => {
    expect(keys("2640-FE0F", "2642-FE0F", "27A1-FE0F", "2764-FE0F", "2764-FE0F-200D-1F525").size).toBe(5);
  });
});

describe("groupEmoji", () => {
  it("joins variants and copies, directly or through others, and names the group by its first emoji", () => {
    const entries = [emoji("1F3C3"), emoji("1F3C3-200D-2640-FE0F"), emoji("1F600"), emoji("1F601"), emoji("1F602")];
    expect(
      groupEmoji(entries, [
        [1, 2],
        [2, 4],
      ]),
    ).toEqual(["1F3C3", "1F3C3", "1F3C3", "1F601", "1F3C3"]);
  });
});
