import { InputError } from "../errors";
import { foldersOf, type Folder } from "./folder-tree";

/** What the decoder reads. */
const readable = /\.(jpe?g|jpe|jfif|png|webp|tiff?|gif)$/i;

/** Images that the decoder does not read. */
const unreadable = /\.(avif|bmp|dib|heic|heif|jp2|j2k|jxl|p[bgpn]m|ico|tga|psd|exr|hdr|dng|cr2|nef|raw)$/i;

/** In words, for messages. */
export const readableFormats = "JPEG, PNG, WebP, TIFF or GIF";

/** Lines that a message lists. */
export const listedPaths = 20;

/** The images of one class. */
export interface ClassFolder {
  readonly name: string;
  /** File names in the folder, sorted. */
  readonly images: readonly string[];
}

/** File names of the images that lie directly in a folder. */
export function imagesIn({ files }: Folder): readonly string[] {
  return files.filter((name) => readable.test(name));
}

/** The same of images in formats that are not read. */
export function unreadableIn({ files }: Folder): readonly string[] {
  return files.filter((name) => unreadable.test(name));
}

/**
 * The classes of a folder with one folder a class.
 *
 * @param path - of the folder, for messages
 * @throws InputError naming every class folder without images, with images that are not read, or with images in a folder
 *   inside it, and saying what it has; and images that lie beside class folders
 */
export function classFolders(folder: Folder, path: string): readonly ClassFolder[] {
  const faults: string[] = [];
  const beside = [...imagesIn(folder), ...unreadableIn(folder)];
  if (folder.folders.length > 0 && beside.length > 0) faults.push(`beside the class folders: ${counted(beside)}`);
  const classes = folder.folders.map((one): ClassFolder => {
    const images = imagesIn(one);
    const inside = imagesInside(one);
    if (images.length === 0 || unreadableIn(one).length > 0 || inside.length > 0) {
      faults.push(`${one.name}: ${described(one, inside)}`);
    }
    return { name: one.name, images };
  });
  if (faults.length > 0) {
    throw new InputError(
      `Cannot load the image folder: every folder of ${path} must be a class and have ${readableFormats} files directly in it; ` +
        `convert or move what is another way, that is in ${faults.length}:\n${listed(faults)}`,
    );
  }
  return classes;
}

/** The folders below a class that have images, in words. */
function imagesInside(folder: Folder): readonly string[] {
  return [...foldersOf(folder)].slice(1).flatMap(([path, inside]) => {
    const images = [...imagesIn(inside), ...unreadableIn(inside)];
    return images.length === 0 ? [] : [`${counted(images)} in the folder ${path}`];
  });
}

function described(folder: Folder, inside: readonly string[]): string {
  const { files, folders, hidden } = folder;
  const [images, others] = [imagesIn(folder), unreadableIn(folder)];
  const parts = [
    ...(images.length > 0 ? [counted(images)] : []),
    ...(others.length > 0 ? [`${counted(others)}, which are not read`] : []),
    ...inside,
    ...(images.length + others.length === 0 && files.length > 0 ? [counted(files)] : []),
    ...(inside.length === 0 && folders.length > 0 ? [`folders without images: ${firstOf(folders)}`] : []),
  ];
  if (parts.length > 0) return parts.join("; ");
  if (hidden.length === 0) return "empty";
  return `only names that begin with a dot: ${hidden.slice(0, 3).join(", ")}`;
}

function firstOf(folders: readonly Folder[]): string {
  const names = folders.slice(0, 3).map(({ name }) => name);
  return names.join(", ");
}

/**
 * What is passed over of a data set, a line for each folder that has some.
 *
 * @param taken - paths of the folders whose images are read
 */
export function passedOver(
  root: Folder,
  taken: ReadonlySet<string>,
): { readonly count: number; readonly lines: readonly string[] } {
  const lines: string[] = [];
  let count = 0;
  for (const [path, folder] of foldersOf(root)) {
    const { files, hidden, unusable } = folder;
    const left = taken.has(path) ? files.filter((name) => !readable.test(name)) : files;
    const parts = [
      ...(left.length > 0 ? [counted(left)] : []),
      ...(hidden.length > 0 ? [`${hidden.length} whose name begins with a dot`] : []),
      ...[...unusable.values()].map((reason) => `1 ${reason}`),
    ];
    count += left.length + hidden.length + unusable.size;
    if (parts.length > 0) lines.push(`${path === "" ? "directly in it" : path}: ${parts.join(", ")}`);
  }
  return { count, lines };
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
