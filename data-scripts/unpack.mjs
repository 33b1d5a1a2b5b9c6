// What the scripts that unpack archives share. A failing program has already said why: its exit status is passed on.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Unpacks an archive into a folder with the system's tar. */
export function unpack(archive, folder) {
  mkdirSync(folder, { recursive: true });
  run("tar", ["-xf", archive, "-C", folder]);
}

/** Runs a command of `moco`. */
export function moco(...words) {
  run(process.execPath, [fileURLToPath(import.meta.resolve("../dist/cli/main.js")), ...words]);
}

/** Ends the script with a message for the user. */
export function stop(message) {
  console.error(message);
  process.exit(2);
}

function run(program, words) {
  const { status, error } = spawnSync(program, words, { stdio: "inherit" });
  if (error !== undefined) stop(`Cannot run ${program}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}
