import type { EmojiEntry } from "./emoji-package";

type CodeRange = readonly [first: number, last: number];

/** One drawing in several states or colors. Each is one group. Code points are those of the Unicode charts. */
const sameDrawing: Readonly<Record<string, readonly CodeRange[]>> = {
  "clock face": [[0x1f550, 0x1f567]],
  moon: [[0x1f311, 0x1f31d]],
  globe: [[0x1f30d, 0x1f30f]],
  heart: [
    [0x2665, 0x2665],
    [0x2764, 0x2764],
    [0x1f499, 0x1f49c],
    [0x1f5a4, 0x1f5a4],
    [0x1f90d, 0x1f90e],
    [0x1f9e1, 0x1f9e1],
    [0x1fa75, 0x1fa77],
  ],
  circle: [
    [0x26aa, 0x26ab],
    [0x1f534, 0x1f535],
    [0x1f7e0, 0x1f7e4],
  ],
  square: [
    [0x25aa, 0x25ab],
    [0x25fb, 0x25fe],
    [0x2b1b, 0x2b1c],
    [0x1f7e5, 0x1f7eb],
  ],
  diamond: [[0x1f536, 0x1f539]],
  book: [
    [0x1f4d5, 0x1f4d5],
    [0x1f4d7, 0x1f4d9],
  ],
  apple: [[0x1f34e, 0x1f34f]],
  medal: [[0x1f947, 0x1f949]],
  loudspeaker: [[0x1f508, 0x1f50a]],
  mailbox: [[0x1f4ea, 0x1f4ed]],
  hourglass: [
    [0x231b, 0x231b],
    [0x23f3, 0x23f3],
  ],
};

/** Signs that vary a person: gender, hair, skin tone and "facing right"; and the two that only join and style signs. */
const varying: readonly CodeRange[] = [
  [0x2640, 0x2640],
  [0x2642, 0x2642],
  [0x1f9b0, 0x1f9b3],
  [0x1f3fb, 0x1f3ff],
  [0x27a1, 0x27a1],
  [0x200d, 0x200d],
  [0xfe0f, 0xfe0f],
];

/** Woman, man and person of the same meaning have separate code points: each is mapped to one of them. */
const person = 0x1f9d1;
const child = 0x1f9d2;
const olderPerson = 0x1f9d3;
const crowned = 0x1fac5;
const pregnant = 0x1fac4;
const dancer = 0x1f483;
const nursing = 0x1f931;
const santa = 0x1f385;
const sameMeaning: ReadonlyMap<number, number> = new Map([
  [0x1f468, person], // man
  [0x1f469, person], // woman
  [0x1f471, person], // blond hair
  [0x1f9d4, person], // beard
  [0x1f466, child], // boy
  [0x1f467, child], // girl
  [0x1f474, olderPerson], // man
  [0x1f475, olderPerson], // woman
  [0x1f934, crowned], // prince
  [0x1f478, crowned], // princess
  [0x1f930, pregnant], // woman
  [0x1fac3, pregnant], // man
  [0x1f57a, dancer], // man
  [0x1f936, santa], // Mrs Claus
]);

/** Sequences that mean the same as a single code point. */
const sameSequence: ReadonlyMap<string, number> = new Map([
  [`${person}-${0x1f384}`, santa], // person, Christmas tree: Mx Claus
  [`${person}-${0x1f37c}`, nursing], // person, bottle: feeding a baby
]);

/**
 * What is left of an emoji when its variants are taken together: skin tone, gender, hair, direction, person/man/woman;
 * all families and couples; clock faces; and one drawing in several states or colors. Emoji of the same key are one group.
 */
export function variantKey(entry: Pick<EmojiEntry, "unified" | "name" | "subcategory">): string {
  if (entry.subcategory === "family" || entry.name.startsWith("FAMILY")) return "families and couples";
  const codes = entry.unified.split("-").map((code) => Number.parseInt(code, 16));
  if (codes.includes(0x20e3) || codes[0] === 0x1f51f) return "keycap";
  const plain = codes.filter((code) => code !== 0xfe0f);
  // A sign that stands alone is an emoji itself (the female sign, the arrow to the right).
  const meant = plain.length === 1 ? plain : codes.filter((code) => !varying.some((range) => contains(range, code)));
  if (meant.length === 1) {
    const drawing = Object.entries(sameDrawing).find(([, ranges]) =>
      ranges.some((range) => contains(range, meant[0]!)),
    );
    if (drawing !== undefined) return drawing[0];
  }
  const key = meant.map((code) => sameMeaning.get(code) ?? code).join("-");
  return String(sameSequence.get(key) ?? key);
}

/**
 * Groups emoji so that variants of one drawing are never split: emoji of the same variant key, and those whose images
 * are near copies, directly or through others (union-find).
 *
 * @param entries - the emoji
 * @param copies - pairs of indices into `entries` whose images are the same or nearly so
 * @returns for each emoji its group, named by the code of the group's first emoji
 */
export function groupEmoji(
  entries: readonly EmojiEntry[],
  copies: readonly (readonly [number, number])[],
): readonly string[] {
  const parent = Int32Array.from(entries, (_, index) => index);
  const rootOf = (index: number): number => {
    while (parent[index] !== index) {
      parent[index] = parent[parent[index]!]!;
      index = parent[index]!;
    }
    return index;
  };
  // The smaller index becomes the root, so a group is named by its first emoji.
  const join = (a: number, b: number): void => {
    const [first, last] = [rootOf(a), rootOf(b)].sort((x, y) => x - y) as [number, number];
    parent[last] = first;
  };

  const firstOfKey = new Map<string, number>();
  entries.forEach((entry, index) => {
    const key = variantKey(entry);
    const first = firstOfKey.get(key);
    if (first === undefined) firstOfKey.set(key, index);
    else join(first, index);
  });
  for (const [a, b] of copies) join(a, b);
  return entries.map((_, index) => entries[rootOf(index)]!.unified);
}

function contains([first, last]: CodeRange, code: number): boolean {
  return code >= first && code <= last;
}
