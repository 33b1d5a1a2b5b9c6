import { createHash } from "node:crypto";

/** Twelve hexadecimal digits of what is trained: equal for recipes that differ in name and source only. */
export function recipeHash(recipe: { readonly name: string; readonly source: string }): string {
  const { name: _name, source: _source, ...trained } = recipe;
  return createHash("sha256")
    .update(JSON.stringify(sorted(trained)))
    .digest("hex")
    .slice(0, 12);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
