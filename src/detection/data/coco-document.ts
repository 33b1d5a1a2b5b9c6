import type { AnnotationFaults } from "./annotation-faults";
import { parseCocoMask } from "../structures/coco-mask";
import type { Annotation, Box, Category, DetectionImage } from "../structures/detection-set";
import { maximumPixels } from "./image-files";

type Fields = Readonly<Record<string, unknown>>;

/**
 * The images and categories of a COCO annotation file, both by rising id; an image's objects are in the order of the file.
 * What is wrong is added to `found`; objects without area and polygons of less than three
 * corners are left out.
 *
 * @param document - the parsed JSON
 * @param file - the file as messages name it
 */
export function cocoImages(
  document: unknown,
  file: string,
  found: AnnotationFaults,
): { readonly categories: readonly Category[]; readonly images: readonly DetectionImage[] } {
  const fault = (field: string, must: string, value: unknown): undefined => {
    found.faults.push(`${file}: ${field} must ${must}, current value is ${shown(value)}`);
    return undefined;
  };
  const list = (name: string): readonly unknown[] => {
    const value = isFields(document) ? document[name] : undefined;
    if (Array.isArray(value)) return value;
    fault(name, "be a list", value);
    return [];
  };

  const categories = list("categories")
    .map((value, index): Category | undefined => {
      const field = `categories[${index}]`;
      if (!isFields(value)) return fault(field, "be an object", value);
      if (!isId(value.id)) return fault(`${field}.id`, "be an integer", value.id);
      if (typeof value.name !== "string") return fault(`${field}.name`, "be a string", value.name);
      return { id: value.id, name: value.name };
    })
    .filter((category) => category !== undefined)
    .sort((one, other) => one.id - other.id);
  categories.forEach(({ id }, index) => {
    if (id === categories[index + 1]?.id) fault("categories", "have an id once", id);
  });
  const categoryIndex = new Map(categories.map(({ id }, index) => [id, index]));

  const images = new Map<number, DetectionImage & { readonly objects: Annotation[] }>();
  list("images").forEach((value, index) => {
    const image = parseImage(value, `images[${index}]`, fault);
    if (image === undefined) return;
    if (images.has(image.id)) fault(`images[${index}].id`, "be of one image only", image.id);
    else images.set(image.id, { ...image, objects: [] });
  });

  list("annotations").forEach((value, index) => {
    const field = `annotations[${index}]`;
    if (!isFields(value)) return fault(field, "be an object", value);
    const image = isId(value.image_id) ? images.get(value.image_id) : undefined;
    if (image === undefined) return fault(`${field}.image_id`, "be the id of an image", value.image_id);
    const category = isId(value.category_id) ? categoryIndex.get(value.category_id) : undefined;
    if (category === undefined) return fault(`${field}.category_id`, "be the id of a category", value.category_id);
    const noteIn =
      (list: string[]) =>
      (part: string, must: string, current: unknown): void => {
        list.push(`${file}: ${field}.${part} must ${must}, current value is ${shown(current)}`);
      };
    const notes = { empty: noteIn(found.empty), dropped: noteIn(found.dropped) };
    const object = parseObject(value, category, image, field, fault, notes);
    if (object !== undefined) image.objects.push(object);
  });
  return { categories, images: [...images.values()].sort((one, other) => Number(one.id) - Number(other.id)) };
}

type Report = (field: string, must: string, value: unknown) => undefined;

function parseImage(
  value: unknown,
  field: string,
  fault: Report,
): { readonly id: number; readonly fileName: string; readonly width: number; readonly height: number } | undefined {
  if (!isFields(value)) return fault(field, "be an object", value);
  const { id, file_name: fileName, width, height } = value;
  if (!isId(id)) return fault(`${field}.id`, "be an integer", id);
  if (typeof fileName !== "string" || fileName === "" || fileName.split(/[\\/]/).includes("..")) {
    return fault(`${field}.file_name`, "be a path below the folder of images", fileName);
  }
  if (!isSide(width)) return fault(`${field}.width`, "be a positive integer", width);
  if (!isSide(height)) return fault(`${field}.height`, "be a positive integer", height);
  if (width * height > maximumPixels) {
    return fault(field, `have at most ${maximumPixels} pixels`, `${width} x ${height}`);
  }
  return { id, fileName, width, height };
}

function parseObject(
  value: Fields,
  category: number,
  image: DetectionImage,
  field: string,
  fault: Report,
  { empty, dropped }: Record<"empty" | "dropped", (field: string, must: string, value: unknown) => void>,
): Annotation | undefined {
  const { bbox, iscrowd = 0, segmentation, area } = value;
  if (!Array.isArray(bbox) || bbox.length !== 4 || !bbox.every(Number.isFinite)) {
    return fault(`${field}.bbox`, "be four numbers: x, y, width, height", bbox);
  }
  if (iscrowd !== 0 && iscrowd !== 1 && typeof iscrowd !== "boolean") {
    return fault(`${field}.iscrowd`, "be 0 or 1", iscrowd);
  }
  const [x, y, width, height] = bbox as unknown as Box;
  if (area !== undefined && !(Number.isFinite(area) && (area as number) >= 0)) {
    return fault(`${field}.area`, "be a number of 0 or more", area);
  }
  let mask;
  if (segmentation !== undefined && segmentation !== null) {
    const parsed = parseCocoMask(segmentation, image.height, image.width);
    if ("must" in parsed) return fault(`${field}.segmentation${parsed.field}`, parsed.must, parsed.value);
    mask = parsed.mask;
    for (const { field, must, value } of parsed.dropped) dropped(`segmentation${field}`, must, value);
  }
  if (!Number.isFinite(width * height)) return fault(`${field}.bbox`, "have a finite area", bbox);
  // A width that its x swallows is none either.
  if (x + width <= x || y + height <= y) {
    empty("bbox", "have a positive width and height", bbox);
    return undefined;
  }
  if (x + width <= 0 || y + height <= 0 || x >= image.width || y >= image.height) {
    return fault(`${field}.bbox`, `touch the image of ${image.width} x ${image.height}`, bbox);
  }
  return {
    box: [x, y, x + width, y + height],
    category,
    difficult: false,
    crowd: Boolean(iscrowd),
    area: (area as number | undefined) ?? width * height,
    ...(mask === undefined ? {} : { mask }),
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isSide(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  if (value === undefined) return "none";
  let text: string;
  try {
    text = JSON.stringify(value);
  } catch {
    return "one that is nested too deep to be shown"; // JSON.parse takes it, JSON.stringify has no room on the stack
  }
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}
