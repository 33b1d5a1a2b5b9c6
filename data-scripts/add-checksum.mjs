// Gives recorded files that have none their checksum: runs of PyTorch (test/golden/cifar10_demo.py), and what versions of the
// kit before 0.2 recorded. Files that have one are left as they are.
// Usage: npm run build && node data-scripts/add-checksum.mjs FILE...
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { checksumOf, readJson, writeCheckedJson } from "../dist/files/checked-json.js";

for (const path of process.argv.slice(2)) {
  const json = JSON.parse(readFileSync(path, "utf8"));
  const { sha256, ...rest } = Array.isArray(json) ? { trials: json } : json;
  if (sha256 !== undefined && sha256 !== checksumOf(rest)) throw new Error(`${path} has a checksum of something else`);
  const content = upgraded(path, rest);
  if (sha256 !== checksumOf(content)) writeCheckedJson(path, content);
}

/** What older versions wrote, in the form of now. Nothing is known here that was not recorded: that is null. */
function upgraded(path, content) {
  if ("trials" in content) return { origin: null, ...content };
  if ("groups" in content) return { origin: null, evaluation: content };
  if ("figures" in content) {
    const { readings, figures, ...rest } = content;
    const { manifest, ...curves } = rest;
    return { manifest, predictionsChecksum: null, ...curves, validations: readings, metrics: figures };
  }
  const predictions = path.replace(/\.json$/, ".predictions.json.gz");
  if (!existsSync(predictions) || "predictionsChecksum" in content) return content;
  const { manifest, ...rest } = content;
  return { manifest, predictionsChecksum: checksumOf(readJson(predictions)), ...rest };
}
