import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

// A folder of runs for each file of tests, so that two files that train the same recipe can go side by side.
const folder = mkdtempSync(join(tmpdir(), "moco-runs-"));
process.env["MOCO_RUNS"] = folder;
afterAll(() => rmSync(folder, { recursive: true, force: true }));
