/** Names of modules as a cell imports them, where the compiler writes the path of their file. */
"use strict";

const path = require("node:path");

const QUOTED = /"([^"\n]*)"/g;
/** A package's folder may be that of its types. */
const PACKAGE = /^node_modules\/(?:@types\/)?(@[^/]+\/[^/]+|[^/]+)/;

/**
 * Of `typeof import("/home/me/moco-kit/dist/index")`, the compiler's name for what `import * as kit from "moco-kit"` gives,
 * makes `typeof import("moco-kit")`; of an own file's path, its path from the root.
 */
function withShortModules(text, root) {
  return text.replaceAll(QUOTED, (quoted, file) => {
    if (!file.startsWith(`${root}/`)) {
      return quoted;
    }
    const within = path.posix.relative(root, file);
    return `"${within.startsWith("dist/") ? "moco-kit" : (PACKAGE.exec(within)?.[1] ?? `./${within}`)}"`;
  });
}

module.exports = { withShortModules };
