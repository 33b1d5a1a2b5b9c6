import { join } from "node:path";
import { InputError } from "../errors";
import {
  classFolders,
  imagesIn,
  listed,
  listedPaths,
  passedOver,
  readableFormats,
  unreadableIn,
  type ClassFolder,
} from "./class-folders";
import { parts, type Part } from "./emoji-split";
import { foldersOf, walk, type Folder } from "./folder-tree";

/** Shares of train, validation and test where a folder has no parts, and of validation where it has no such part. */
const shares = { train: 0.6, validation: 0.15, test: 0.25 } as const;

/** What folders of parts are called. */
const partNames: Readonly<Record<Part, RegExp>> = {
  train: /^train$/i,
  validation: /^val(id(ation)?)?$/i,
  test: /^test$/i,
};

/** A folder of class folders, and what becomes of its images. */
interface PartFolder {
  readonly folder: Folder;
  /** Below the data set's folder; empty for that itself. */
  readonly path: string;
  /** The part that the images are, or the parts that they are split into, with the share of each. */
  readonly to: Part | Partial<Readonly<Record<Part, number>>>;
}

/** Files, and what becomes of them. */
export interface GivenFiles extends Pick<PartFolder, "to"> {
  /** Their paths in the data set's folder. */
  readonly ids: readonly string[];
  /** Class of each; -1 where there are none. */
  readonly labels: readonly number[];
}

/** The images that a folder was found to have. */
interface FoundImages {
  /** Names of the classes; empty for fewer than two. */
  readonly classes: readonly string[];
  readonly given: readonly GivenFiles[];
  /** For people: what was passed over, and classes that a part does not have. */
  readonly warnings: readonly string[];
}

/** The same, before warnings are made of it. */
interface TakenImages extends Omit<FoundImages, "warnings"> {
  /** Paths of the folders whose images are read. */
  readonly taken: ReadonlySet<string>;
  /** Lines on classes that are missing. */
  readonly lacking: readonly string[];
}

/**
 * Finds the images of a data set's folder, their classes, and the parts that they belong to.
 *
 * @param holdOut - whether a part of `train` becomes the validation part where no folder has one
 * @throws InputError when images would be left out: by the layout, by their format, or since they cannot be read
 */
export async function findImages(root: string, holdOut: boolean): Promise<FoundImages> {
  const tree = await walk(root);
  const partFolders = findParts(tree, root, holdOut);
  for (const { folder, path } of partFolders) refuseUnusable(folder, path, root);
  const { classes, given, taken, lacking } = takeImages(partFolders, root);
  const { count, lines } = passedOver(tree, taken);
  const warnings = count === 0 ? [] : [`Passed over in ${root}, ${count} in all:\n${listed(lines)}`];
  return { classes, given, warnings: [...warnings, ...lacking] };
}

/** The folders that have the images, and what becomes of these: the folders of parts, or the set's own folder. */
function findParts(tree: Folder, root: string, holdOut: boolean): readonly PartFolder[] {
  const beside = tree.folders.filter(({ name }) => !parts.some((part) => partNames[part].test(name)));
  const whole: PartFolder = { folder: tree, path: "", to: shares };
  // Vehicles have a class "Train": its images lie directly in it, and other classes beside it.
  const isTrain = ({ name, folders }: Folder) =>
    name === "train" || (partNames.train.test(name) && (beside.length === 0 || folders.length > 0));
  if (!tree.folders.some(isTrain)) return [whole];
  const [train, validation, test] = parts.map((part) => {
    const found = tree.folders.filter(({ name }) => partNames[part].test(name));
    if (found.length < 2) return found[0];
    const names = found.map(({ name }) => name).join(", ");
    throw new InputError(
      `Cannot load the image folder: ${root} must have one folder for each part, for ${part} there are ${names}; rename or move one`,
    );
  });
  const besideImages = beside.filter((folder) => imagesIn(folder).length > 0).map(({ name }) => name);
  if (train!.folders.length === 0 && imagesIn(train!).length > 0 && besideImages.length > 0) {
    throw new InputError(
      `Cannot load the image folder: in ${root} images lie directly in ${train!.name} and in ${besideImages.slice(0, listedPaths).join(", ")}. If ` +
        `${train!.name} is a class of its own, move all classes into a folder train, as train/CLASS; else name the folder ` +
        `to be read, folder:${join(root, train!.name)}`,
    );
  }
  const read = (folder: Folder, to: PartFolder["to"]): PartFolder => ({ folder, path: folder.name, to });
  if (validation && test) return [read(train!, "train"), read(validation, "validation"), read(test, "test")];
  const last = test ?? validation;
  if (!last) return [read(train!, shares)];
  const heldOut = { train: 1 - shares.validation, validation: shares.validation };
  return [read(train!, holdOut ? heldOut : "train"), read(last, "test")];
}

function refuseUnusable(folder: Folder, path: string, root: string): void {
  const faults = [...foldersOf(folder, path)].flatMap(([at, { unusable }]) =>
    [...unusable].map(([name, reason]) => `${join(at, name)}: ${reason}`),
  );
  if (faults.length === 0) return;
  throw new InputError(
    `Cannot load the image folder: ${root} must have files and folders that can be read, repair or remove what is another ` +
      `thing, there are ${faults.length}:\n${listed(faults)}`,
  );
}

function takeImages(partFolders: readonly PartFolder[], root: string): TakenImages {
  const found = partFolders.map(({ folder, path }) => {
    // Without classes in train, folders of others are no classes either.
    if (path !== partFolders[0]!.path && partFolders[0]!.folder.folders.length === 0) return [];
    return classFolders(folder, join(root, path));
  });
  const classes = found[0]!.map(({ name }) => name);
  found.forEach((ofPart, at) => {
    const unknown = ofPart.map(({ name }) => name).filter((name) => !classes.includes(name));
    if (unknown.length > 0) {
      throw new InputError(
        `Cannot load the image folder: every class of ${join(root, partFolders[at]!.path)} must be one of train, unknown is ${unknown.slice(0, listedPaths).join(", ")}`,
      );
    }
  });
  if (classes.length < 2) return withoutClasses(partFolders[0]!, found[0]![0], root);
  return {
    classes,
    given: partFolders.map((part, at) => labeledFiles(part, found[at]!, classes, root)),
    taken: new Set(found.flatMap((ofPart, at) => ofPart.map(({ name }) => join(partFolders[at]!.path, name)))),
    lacking: found.flatMap((ofPart, at) => {
      const names = new Set(ofPart.map(({ name }) => name));
      const missing = classes.filter((name) => !names.has(name));
      if (missing.length === 0) return [];
      const count = missing.length === 1 ? "1 class" : `${missing.length} classes`;
      const path = join(root, partFolders[at]!.path);
      return [`${path} has no images of ${count} of train: ${missing.slice(0, listedPaths).join(", ")}`];
    }),
  };
}

/** All images as the training part. */
function withoutClasses({ folder, path }: PartFolder, single: ClassFolder | undefined, root: string): TakenImages {
  const place = single ? join(path, single.name) : path;
  const images = single ? single.images : imagesIn(folder);
  const unreadable = single ? [] : unreadableIn(folder);
  if (unreadable.length > 0) {
    throw new InputError(
      `Cannot load the image folder: ${readableFormats} files are read, convert those of ${join(root, place)} that are ` +
        `others, there are ${unreadable.length}:\n${listed(unreadable)}`,
    );
  }
  if (images.length === 0) {
    throw new InputError(
      `Cannot load the image folder: ${root} must have folders train/CLASS and test/CLASS, or CLASS alone, or ` +
        `${readableFormats} files without classes, found are 0`,
    );
  }
  const given = { ids: images.map((image) => join(place, image)), labels: images.map(() => -1), to: "train" } as const;
  return { classes: [], given: [given], taken: new Set([place]), lacking: [] };
}

function labeledFiles(
  { path, to }: PartFolder,
  found: readonly ClassFolder[],
  classes: readonly string[],
  root: string,
): GivenFiles {
  if (found.length === 0) {
    throw new InputError(
      `Cannot load the image folder: ${join(root, path)} must have ${readableFormats} files in its class folders, found are 0`,
    );
  }
  const labels = new Map(classes.map((name, label) => [name, label]));
  return {
    ids: found.flatMap(({ name, images }) => images.map((image) => join(path, name, image))),
    labels: found.flatMap(({ name, images }) => images.map(() => labels.get(name)!)),
    to,
  };
}
