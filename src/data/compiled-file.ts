import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Path of a compiled file of this room, also where its source is run instead, or a copy of it: in tests and measurements. */
export function compiledFile(name: string): string {
  let folder = __dirname;
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return join(folder, "dist", "data", name);
}
