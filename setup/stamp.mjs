/** The stamp: which steps of the set-up are done, each with a key made of what it depends on. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FILE = ".setup-stamp.json";

/** The stamp of a project: `steps` from a step's id to its key, `gpu` whether TensorFlow is the CUDA one. */
export function readStamp(root) {
  try {
    const stamp = JSON.parse(readFileSync(join(root, FILE), "utf8"));
    return { gpu: stamp.gpu === true, steps: { ...stamp.steps } };
  } catch {
    // None yet, or unreadable: everything is done anew.
    return { gpu: false, steps: {} };
  }
}

/** Writes the stamp whole or not at all. */
export function writeStamp(root, stamp) {
  const file = join(root, FILE);
  writeFileSync(`${file}.new`, `${JSON.stringify(stamp, undefined, 2)}\n`);
  renameSync(`${file}.new`, file);
}

/**
 * The steps that are to be run: those whose key changed, whose result is missing, or that come after such a step.
 *
 * @param steps - in the order in which they run
 */
export function dueSteps(steps, project, stamp) {
  const due = new Set();
  for (const step of steps) {
    const stale = stamp.steps[step.id] !== stepKey(step, project) || !step.present(project);
    if (stale || step.after.some((earlier) => due.has(earlier))) due.add(step);
  }
  return [...due];
}

/** A hash over what a step reads and how it runs, and over the keys of the steps before it. */
export function stepKey(step, project) {
  return hash(String(step.run), step.inputs(project), ...step.after.map((earlier) => stepKey(earlier, project)));
}

function hash(...parts) {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

/** A hash over the names and contents of files; folders are walked. */
export function hashFiles(root, paths) {
  const digest = createHash("sha256");
  for (const path of paths) addFile(digest, root, path);
  return digest.digest("hex");
}

function addFile(digest, root, path) {
  const full = join(root, path);
  let content;
  try {
    content = readFileSync(full);
  } catch (error) {
    if (error.code === "ENOENT") return;
    if (error.code !== "EISDIR") throw error;
    for (const name of readdirSync(full).sort()) {
      if (name !== "__pycache__") addFile(digest, root, `${path}/${name}`);
    }
    return;
  }
  digest.update(`${path}\0${content.length}\0`).update(content);
}
