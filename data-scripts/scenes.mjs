// Puts the composed scenes in place in both formats: 2,000 train, 250 validation and 500 test scenes of 96 px, seed 0.
// Usage: npm run build && node data-scripts/scenes.mjs [data root]
import { join } from "node:path";
import load from "../dist/data/load.js";
import { moco } from "./unpack.mjs";

const root = load.dataRoot(process.argv[2]);
for (const format of ["coco", "voc"]) {
  moco("data", "scenes", "--format", format, "--output", join(root, `scenes-${format}`));
}
