import { lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../errors";

/** What the decoder reads. */
const readable = /\.(jpe?g|jpe|jfif|png|webp|tiff?|gif)$/i;

/** Images that the decoder does not read. */
const unreadable = /\.(bmp|dib|heic|heif|jp2|j2k|jxl|p[bgpn]m|ico|tga|psd|exr|hdr|dng|cr2|nef|raw)$/i;

/** In words, for messages. */
export const readableFormats = "JPEG, PNG, WebP, TIFF or GIF";

/** Lines that a message lists. */
export const listedPaths = 20;

/** The images and folders in a folder, sorted by name. Names that begin with a dot are passed over, links are followed. */
export interface FolderContent {
  readonly folders: readonly string[];
  readonly images: readonly string[];
  /** Images in formats that are not read. */
  readonly unreadable: readonly string[];
  /** All other files. */
  readonly others: readonly string[];
}

/** The images of one class. */
export interface ClassFolder {
  readonly name: string;
  /** File names in the folder, sorted. */
  readonly images: readonly string[];
}

/**
 * Looks into a folder.
 *
 * @throws InputError if it is missing, or listing links that lead nowhere and names that are not UTF-8
 */
export async function folderContent(path: string): Promise<FolderContent> {
  const entries = await readdir(path, { withFileTypes: true }).catch((cause: unknown) => {
    throw new InputError(
      `Cannot read the image folder: it must exist, missing is ${path}. Data sets are looked for below the folder that MOCO_DATA names; ` +
        "REPRODUCE.md says where the kit's own come from",
      { cause },
    );
  });
  const folders: string[] = [];
  const files: string[] = [];
  const broken: string[] = [];
  const undecodable: string[] = [];
  for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    if (entry.name.startsWith(".")) continue;
    // What is no UTF-8 was replaced by this character: by the name as it reads now there is no file.
    if (entry.name.includes("\uFFFD") && !(await lstat(join(path, entry.name)).catch(() => undefined))) {
      undecodable.push(join(path, entry.name));
      continue;
    }
    // A link may lead nowhere, or to itself.
    const target = entry.isSymbolicLink() ? await stat(join(path, entry.name)).catch(() => undefined) : entry;
    if (target === undefined) broken.push(join(path, entry.name));
    else if (target.isDirectory()) folders.push(entry.name);
    else files.push(entry.name);
  }
  if (broken.length > 0) {
    throw new InputError(
      `Cannot read the image folder: links must lead to a file or folder, broken are ${broken.length}:\n${listed(broken)}`,
    );
  }
  if (undecodable.length > 0) {
    throw new InputError(
      `Cannot read the image folder: names of files and folders must be UTF-8, rename those that are not, there are ${undecodable.length}:\n` +
        listed(undecodable),
    );
  }
  return {
    folders,
    images: files.filter((name) => readable.test(name)),
    unreadable: files.filter((name) => unreadable.test(name)),
    others: files.filter((name) => !readable.test(name) && !unreadable.test(name)),
  };
}

/**
 * The classes of a folder with one folder a class.
 *
 * @throws InputError naming every class folder without images, with images that are not read, or with images in a folder
 *   inside it, and saying what it has; and images that lie beside class folders
 */
export async function classFolders(path: string): Promise<readonly ClassFolder[]> {
  const around = await folderContent(path);
  const classes: ClassFolder[] = [];
  const faults: string[] = [];
  const beside = [...around.images, ...around.unreadable];
  if (around.folders.length > 0 && beside.length > 0) faults.push(`beside the class folders: ${counted(beside)}`);
  for (const name of around.folders) {
    const content = await folderContent(join(path, name));
    const inside = await imagesInside(join(path, name), content.folders);
    if (content.images.length === 0 || content.unreadable.length > 0 || inside.length > 0) {
      faults.push(`${name}: ${described(content, inside)}`);
    }
    classes.push({ name, images: content.images });
  }
  if (faults.length > 0) {
    throw new InputError(
      `Cannot load the image folder: every folder of ${path} must be a class and have ${readableFormats} files directly in it; ` +
        `convert or move what is another way, that is in ${faults.length}:\n${listed(faults)}`,
    );
  }
  return classes;
}

/** Folders that have images, in words. */
async function imagesInside(path: string, folders: readonly string[]): Promise<string[]> {
  const inside = await Promise.all(
    folders.map(async (folder) => {
      const { images, unreadable } = await folderContent(join(path, folder));
      const all = [...images, ...unreadable];
      return all.length === 0 ? undefined : `${counted(all)} in the folder ${folder}`;
    }),
  );
  return inside.filter((text) => text !== undefined);
}

function described({ images, unreadable, others, folders }: FolderContent, inside: readonly string[]): string {
  const parts = [
    ...(images.length > 0 ? [counted(images)] : []),
    ...(unreadable.length > 0 ? [`${counted(unreadable)}, which are not read`] : []),
    ...inside,
    ...(images.length === 0 && others.length > 0 ? [counted(others)] : []),
    ...(inside.length === 0 && folders.length > 0 ? [`folders without images: ${folders.slice(0, 3).join(", ")}`] : []),
  ];
  return parts.length === 0 ? "empty" : parts.join("; ");
}

/** "3 .bmp, 1 .heic" */
function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) {
    const ending = /\.[^.]*$/.exec(name)?.[0] ?? "without ending";
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  return [...counts].map(([ending, count]) => `${count} ${ending}`).join(", ");
}

/** The first lines, and how many more there are. */
export function listed(lines: readonly string[]): string {
  const more = lines.length > listedPaths ? `\n... and ${lines.length - listedPaths} more` : "";
  return lines.slice(0, listedPaths).join("\n") + more;
}
