import { existsSync, readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { InputError } from "../errors";
import { printable } from "../files/printable";
import { cifar10Files, cifar10Folder, loadCifar10 } from "./cifar10";
import { loadEmoji } from "./emoji";
import { emojiPackage, emojiPackageVersion, emojiVendors } from "./emoji-package";
import { loadImageFolder } from "./image-folder";
import type { ImageData, PixelSet } from "./image-set";

/** Name of a data set: `emoji`, `cifar10`, or `folder:` and a path, relative to the data root, absolute, or of the user's home (`~/`). */
export type DataName = "emoji" | "cifar10" | `folder:${string}`;

/** Environment variable that names the folder in which data sets lie. */
export const dataRootVariable = "MOCO_DATA";

/** Options of {@link loadData}. */
export interface LoadDataOptions {
  /**
   * Folder in which data sets lie.
   *
   * @default the environment variable MOCO_DATA, else the folder `data` of the project
   */
  readonly root?: string | undefined;
  /**
   * Side of an image in pixels.
   *
   * @default 32
   */
  readonly size?: number | undefined;
  /**
   * Whether a folder without a validation part gets one out of `train`.
   *
   * @default true
   */
  readonly holdOut?: boolean | undefined;
}

/** What {@link findDataSets} says of a data set. */
export interface DataSetFinding {
  readonly name: string;
  readonly found: boolean;
  /** Where it is, or what to do. */
  readonly detail: string;
}

/** The folder in which data sets lie: the one given, else that of MOCO_DATA, else the folder `data` of the project. */
export function dataRoot(root?: string): string {
  return resolve(root ?? process.env[dataRootVariable] ?? join(__dirname, "..", "..", "data"));
}

/**
 * Reads the name of a data set.
 *
 * @throws InputError when there is no such data set
 */
export function parseDataName(text: string): DataName {
  if (text === "emoji" || text === "cifar10") return text;
  if (text.startsWith("folder:") && text.length > "folder:".length) return text as DataName;
  throw new InputError(`Cannot load data: its name must be emoji, cifar10 or folder:PATH, current value is "${text}"`);
}

/** The folder that a data set is read from; the emoji set comes from npm packages and has none. */
export function dataFolder(name: Exclude<DataName, "emoji">, root?: string): string {
  if (name === "cifar10") return join(dataRoot(root), cifar10Folder);
  // A shell expands it at the beginning of a word only.
  const path = name.slice("folder:".length).replace(/^~(?=\/|$)/, () => homedir());
  return resolve(dataRoot(root), path);
}

/**
 * Loads a data set in its three parts: the built-in ones into memory, of a folder what its files are. What was passed over in
 * a folder, and classes that a part does not have, are told on stderr, once for each message.
 *
 * @throws InputError when it is missing or broken, or has no images of this size
 */
export async function loadData(
  name: Exclude<DataName, `folder:${string}`>,
  options?: LoadDataOptions,
): Promise<ImageData<PixelSet>>;
export async function loadData(name: DataName, options?: LoadDataOptions): Promise<ImageData>;
export async function loadData(name: DataName, { root, size = 32, holdOut }: LoadDataOptions = {}): Promise<ImageData> {
  if (name === "emoji") return loadEmoji({ size });
  const folder = dataFolder(name, root);
  if (name !== "cifar10") {
    if (!existsSync(folder)) throw missingFolder(name, folder);
    const data = await loadImageFolder(folder, { size, holdOut });
    tell(data.warnings ?? []);
    return data;
  }
  if (size !== 32) throw new InputError(`Cannot load CIFAR-10: its images have 32 pixels, current size is ${size}`);
  return loadCifar10(folder);
}

/** Messages that this process has told: a notebook loads one set in many cells. */
const told = new Set<string>();

function tell(warnings: readonly string[]): void {
  for (const warning of warnings.filter((one) => !told.has(one))) {
    told.add(warning);
    console.error(printable(warning));
  }
}

function missingFolder(name: string, folder: string): InputError {
  const advice =
    `. It is looked for below the folder that --data-root or ${dataRootVariable} names; ` +
    "REPRODUCE.md says where the kit's own sets come from";
  return new InputError(`Cannot load ${name}: there is no folder ${folder}${/^folder:[~/]/.test(name) ? "" : advice}`);
}

/** Which data sets are there: emoji, CIFAR-10, and each folder of the data root that has a folder `train`. Reads no image. */
export async function findDataSets(root?: string): Promise<readonly DataSetFinding[]> {
  return [await findEmoji(), findCifar10(root), ...findFolders(root)];
}

async function findEmoji(): Promise<DataSetFinding> {
  try {
    const versions = await Promise.all(
      emojiVendors.map(async (vendor) => `${emojiPackage(vendor)} ${await emojiPackageVersion(vendor)}`),
    );
    return { name: "emoji", found: true, detail: versions.join(", ") };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { name: "emoji", found: false, detail: error.message };
  }
}

function findCifar10(root?: string): DataSetFinding {
  const folder = dataFolder("cifar10", root);
  const missing = Object.keys(cifar10Files).filter((file) => !existsSync(join(folder, file)));
  return missing.length === 0
    ? { name: "cifar10", found: true, detail: folder }
    : {
        name: "cifar10",
        found: false,
        detail: `${folder} lacks ${missing.join(", ")}; get it by: moco data get cifar10`,
      };
}

function findFolders(root?: string): readonly DataSetFinding[] {
  const base = dataRoot(root);
  if (!existsSync(base)) return [];
  return readdirSync(base)
    .filter((name) => !name.startsWith(".") && isFolder(join(base, name, "train")))
    .sort()
    .map((name) => ({ name: `folder:${name}`, found: true, detail: join(base, name) }));
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
