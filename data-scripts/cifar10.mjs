// Puts CIFAR-10 in place: checks the official archive, unpacks it, checks its files and counts its images.
// Usage: npm run build && node data-scripts/cifar10.mjs cifar-10-binary.tar.gz [data root]
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import cifar10 from "../dist/data/cifar10.js";
import load from "../dist/data/load.js";
import { moco, stop, unpack } from "./unpack.mjs";

const [archive, given] = process.argv.slice(2);
if (archive === undefined) stop("Usage: node data-scripts/cifar10.mjs cifar-10-binary.tar.gz [data root]");
if (!existsSync(archive)) stop(`Cannot unpack CIFAR-10: the archive must exist, missing is ${archive}`);
const root = load.dataRoot(given);
const { file, md5 } = cifar10.cifar10Archive;
const found = createHash("md5").update(readFileSync(archive)).digest("hex");
if (found !== md5) {
  stop(`Cannot unpack ${archive}: the MD5 of ${file} must be ${md5}; download it again, current value is ${found}`);
}
unpack(archive, root);
moco("data", "verify", "cifar10", "--data-root", root);
moco("data", "count", "cifar10", "--data-root", root);
