import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { readJson } from "../files/checked-json";
import { replaceFile } from "../files/replace-file";
import type { CitedTable } from "./citation";
import { csvTable, markdownTable } from "./report-table";

/** The part of a recorded file that tells where it comes from; baselines have it under another name. */
const originSchema = z.object({
  git: z.object({ commit: z.string() }).nullable(),
  versions: z.object({ kit: z.string(), node: z.string(), tensorflow: z.string(), tfjs: z.string() }),
  machine: z.object({ cpu: z.string(), cores: z.number(), device: z.string() }),
  finished: z.string(),
});

const fileSchema = z.object({
  manifest: originSchema.extend({ recipeHash: z.string(), seed: z.number() }).optional(),
  origin: originSchema.nullable().optional(),
});

type Entity = Readonly<Record<string, unknown>>;

/**
 * Writes a table with the runs that it is computed from as an RO-Crate of the profile Process Run Crate 0.5: the files, and for
 * each run the action that made it, by which software and when.
 *
 * @param folder - is made if it is not there
 * @param root - folder of recorded results
 */
export function writeRunCrate(folder: string, cited: CitedTable, root: string): void {
  const { table } = cited;
  const files = [...new Set(table.rows.flatMap(({ runs }) => runs))].sort();
  mkdirSync(folder, { recursive: true });
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    copyFileSync(join(root, file), join(folder, file));
  }
  replaceFile(join(folder, `${table.id}.csv`), csvTable(table));
  replaceFile(join(folder, `${table.id}.md`), `${markdownTable(table)}\n`);
  replaceFile(
    join(folder, "ro-crate-metadata.json"),
    `${JSON.stringify(crateMetadata(cited, folder, files), null, 2)}\n`,
  );
}

function crateMetadata(cited: CitedTable, folder: string, files: readonly string[]): object {
  const { table, version, commit, hash, preset } = cited;
  const now = rfcTime(new Date().toISOString());
  const software = softwareEntity(version);
  const runs = files.map((file) => runEntities(file, folder));
  const kits = new Map(
    [software, ...runs.flatMap(({ software: one }) => (one === undefined ? [] : [one]))].map((one) => [
      one["@id"],
      one,
    ]),
  );
  const products = [`${table.id}.csv`, `${table.id}.md`];
  const compute: Entity = {
    "@id": `#compute-${table.id}`,
    "@type": "CreateAction",
    name: `moco crate ${table.id}`,
    description: `Computes the table ${table.id} of preset ${preset} from its runs${commit === undefined ? "" : `, at commit ${commit}`}.`,
    instrument: { "@id": software["@id"] },
    object: files.map(reference),
    result: products.map(reference),
    endTime: now,
    actionStatus: { "@id": "http://schema.org/CompletedActionStatus" },
  };
  const actions = [compute, ...runs.flatMap(({ action }) => (action === undefined ? [] : [action]))];
  return {
    "@context": [
      "https://w3id.org/ro/crate/1.1/context",
      // Of the Workflow Run Crate profiles; the base has no checksum.
      { sha256: "https://w3id.org/ro/terms/workflow-run#sha256" },
    ],
    "@graph": [
      {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        conformsTo: { "@id": "https://w3id.org/ro/crate/1.1" },
        about: { "@id": "./" },
      },
      {
        "@id": "./",
        "@type": "Dataset",
        conformsTo: { "@id": profile },
        name: `${table.title}, reproduced`,
        description: `${table.title} (${table.paper}) by moco-kit, preset ${preset}, with the runs that it is computed from. SHA-256 of the results: ${hash}.`,
        datePublished: now,
        license: { "@id": license },
        hasPart: [...products, ...files].map(reference),
        mentions: actions.map((action) => ({ "@id": action["@id"] })),
      },
      { "@id": profile, "@type": "CreativeWork", name: "Process Run Crate", version: "0.5" },
      {
        "@id": license,
        "@type": "CreativeWork",
        name: "MIT License",
        description: "Permission to use, copy, change and pass on, with the notice of copyright kept.",
      },
      ...kits.values(),
      ...actions,
      ...products.map((file) => fileEntity(file, folder, `The table ${table.id}`)),
      ...runs.map(({ file }) => file),
    ],
  };
}

const profile = "https://w3id.org/ro/wfrun/process/0.5";
const license = "https://spdx.org/licenses/MIT";

function softwareEntity(version: string): Entity {
  return {
    "@id": `#moco-kit-${version}`,
    "@type": "SoftwareApplication",
    name: "moco-kit",
    softwareVersion: version,
  };
}

/** The entities of a run: its file, what made it, and by which version of the kit. */
function runEntities(
  file: string,
  folder: string,
): { readonly file: Entity; readonly action: Entity | undefined; readonly software: Entity | undefined } {
  const parsed = fileSchema.safeParse(file.endsWith(".json") ? readJson(join(folder, file)) : undefined).data;
  const origin = parsed?.manifest ?? parsed?.origin ?? undefined;
  const entity = fileEntity(file, folder, "A recorded run: manifest, curves and outcome");
  if (origin === undefined) return { file: entity, action: undefined, software: undefined };
  const software = softwareEntity(origin.versions.kit);
  const { git, versions, machine, finished } = origin;
  const action: Entity = {
    "@id": `#run-${file}`,
    "@type": "CreateAction",
    name:
      parsed?.manifest === undefined
        ? "evaluation"
        : `training of recipe ${parsed.manifest.recipeHash}, seed ${parsed.manifest.seed}`,
    description:
      `Commit ${git?.commit ?? "unknown"}; TensorFlow ${versions.tensorflow}, tfjs ${versions.tfjs}, Node ${versions.node}; ` +
      `${machine.cpu}, ${machine.cores} cores, ${machine.device}.`,
    instrument: { "@id": software["@id"] },
    result: reference(file),
    endTime: rfcTime(finished),
    actionStatus: { "@id": "http://schema.org/CompletedActionStatus" },
  };
  return { file: entity, action, software };
}

function fileEntity(file: string, folder: string, description: string): Entity {
  const path = join(folder, file);
  const formats: Readonly<Record<string, string>> = { json: "application/json", csv: "text/csv", md: "text/markdown" };
  return {
    "@id": encodeURI(file),
    "@type": "File",
    name: file,
    description,
    encodingFormat: formats[file.slice(file.lastIndexOf(".") + 1)] ?? "application/octet-stream",
    contentSize: String(statSync(path).size),
    sha256: createHash("sha256").update(readFileSync(path)).digest("hex"),
  };
}

function reference(file: string): Entity {
  return { "@id": encodeURI(file) };
}

/** With an offset in place of Z, which validators of crates do not take. */
function rfcTime(iso: string): string {
  return iso.replace(/Z$/, "+00:00");
}
