import { createHash } from "node:crypto";
import { withSortedKeys } from "../files/sorted-keys";

/** Twelve hexadecimal digits of what is trained: equal for recipes that differ in name and source only. */
export function recipeHash(recipe: { readonly name: string; readonly source: string }): string {
  const { name: _name, source: _source, ...trained } = recipe;
  return createHash("sha256")
    .update(JSON.stringify(withSortedKeys(trained)))
    .digest("hex")
    .slice(0, 12);
}
