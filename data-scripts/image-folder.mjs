// Puts an archived image folder in place: unpacks it, decodes every image and counts them.
// Usage: npm run build && node data-scripts/image-folder.mjs archive.tar.gz NAME [data root]
import { existsSync } from "node:fs";
import load from "../dist/data/load.js";
import { moco, stop, unpack } from "./unpack.mjs";

const [archive, name, given] = process.argv.slice(2);
if (archive === undefined || name === undefined) {
  stop("Usage: node data-scripts/image-folder.mjs archive.tar.gz NAME [data root]; NAME is the folder in the archive");
}
if (!existsSync(archive)) stop(`Cannot unpack ${name}: the archive must exist, missing is ${archive}`);
const root = load.dataRoot(given);
unpack(archive, root);
moco("data", "count", `folder:${name}`, "--data-root", root);
