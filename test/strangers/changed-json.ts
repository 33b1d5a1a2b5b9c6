import fc from "fast-check";

/** Numbers that JSON.stringify does not write; {@link jsonText} puts them in. */
const rawNumbers = ["1e999", "-1e999", "-0", "9007199254740993", "1e-400", "NaN", "0x10"].map((text) => `raw:${text}`);

/** Names that every object has from its prototype, and names that steer what shows them. */
const oddNames = ["__proto__", "constructor", "toString", "", "\u001b[2J", "<script>", "\u202e", "a\nb", "=1+1"];

const oddValues: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>(...rawNumbers, ...oddNames) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(null, true, 0, -1, 0.5, 1e300, 2 ** 53, [], {}, [[[[]]]], "1", [1]),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
);

/** A change of one value somewhere in a JSON document. */
export interface JsonChange {
  readonly kind: "value" | "remove" | "rename" | "repeat" | "wrap";
  /** Which of the document's values, counted depth first. */
  readonly at: number;
  readonly value: unknown;
  readonly name: string;
}

/** One to three changes of a JSON document. */
export const jsonChanges: fc.Arbitrary<readonly JsonChange[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(...(["value", "value", "value", "remove", "rename", "repeat", "wrap"] as const)),
    at: fc.nat(),
    value: oddValues,
    name: fc.constantFrom(...oddNames),
  }),
  { minLength: 1, maxLength: 3 },
);

/** The document after its changes. */
export function changeJson(document: unknown, changes: readonly JsonChange[]): unknown {
  return changes.reduce((value, change) => changeAt(value, change, { left: change.at % countOf(value) }), document);
}

/** Its text, with the numbers that JSON.stringify cannot write. */
export function jsonText(document: unknown): string {
  return (JSON.stringify(document) ?? "").replace(/"raw:([^"]+)"/g, "$1");
}

function countOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, inner) => sum + countOf(inner), 1);
}

function changeAt(value: unknown, change: JsonChange, place: { left: number }): unknown {
  if (place.left-- === 0) return change.kind === "wrap" ? [value] : change.value;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
    const here = place.left === 0;
    if (!here || change.kind === "value" || change.kind === "wrap") return [[name, changeAt(inner, change, place)]];
    place.left = -1;
    if (change.kind === "remove") return [];
    if (change.kind === "rename") return [[change.name, inner]];
    return [
      [name, inner],
      [change.name, inner],
    ];
  });
  return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}
