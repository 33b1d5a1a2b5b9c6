import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { isUnfinished } from "../../src/files/replace-file";
import { lockFile } from "../../src/files/folder-lock";
import { decodeSafetensors } from "../../src/weights/safetensors";

/** A checkpoint's tensors, as a checksum, and all that it says besides but the seconds that training took. */
export function checkpointContent(path: string): unknown {
  const { tensors, metadata } = decodeSafetensors(readFileSync(path), path);
  const hash = createHash("sha256");
  for (const [name, { shape, values }] of [...tensors].sort(([one], [other]) => (one < other ? -1 : 1))) {
    hash
      .update(`${name} ${shape.join(",")} `)
      .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  const { seconds: _, sha256: _ofFile, ...rest } = metadata;
  return { tensors: hash.digest("hex"), ...rest };
}

/** What the runs in a folder consist of: checkpoints and numbers, without times and the machine. By file. */
export function runsContent(folder: string): Record<string, unknown> {
  const content: Record<string, unknown> = {};
  if (!existsSync(folder)) return content;
  for (const name of (readdirSync(folder, { recursive: true }) as string[]).sort()) {
    const path = join(folder, name);
    if (!statSync(path).isFile() || /\.(previous|damaged)\.\w+$/.test(name)) continue;
    if (name.endsWith(".safetensors")) content[name] = checkpointContent(path);
    else if (name.endsWith(".json")) content[name] = withoutOrigin(JSON.parse(readFileSync(path, "utf8")));
    else if (isUnfinished(name) || basename(name) === lockFile) content[name] = "left behind";
  }
  return content;
}

/** Fields that tell when, how fast and by what something was made. */
const origin = new Set(["sha256", "git", "versions", "machine", "finished", "trainingSeconds", "seconds"]);

function withoutOrigin(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(withoutOrigin);
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).flatMap(([name, value]) => (origin.has(name) ? [] : [[name, withoutOrigin(value)]])),
  );
}
