import { InputError } from "../../errors";
import { shown } from "./coco-document";
import { parseCocoMask } from "../structures/coco-mask";
import type { Box, Detection, DetectionSet, ImageId } from "../structures/detection-set";
import { maskBox } from "../structures/mask-rle";
import { compressCounts } from "../structures/mask-string";

/** One entry of COCO's results format. */
export interface CocoResult {
  readonly image_id: ImageId;
  readonly category_id: number;
  /** x, y, width, height. */
  readonly bbox: readonly [number, number, number, number];
  readonly score: number;
  readonly segmentation?: { readonly size: readonly [number, number]; readonly counts: string };
}

/**
 * Detections in COCO's results format, for `JSON.stringify`.
 *
 * pycocotools takes the area of a detection from `bbox` where there is one: leave `bbox` out before it evaluates masks, as
 * detectron2 does. `matchCoco` takes it from the mask.
 */
export function toCocoResults(set: DetectionSet, detections: readonly Detection[]): readonly CocoResult[] {
  return detections.map(({ imageId, category, box: [x1, y1, x2, y2], score, mask }) => ({
    image_id: imageId,
    category_id: set.categories[category]!.id,
    bbox: [x1, y1, x2 - x1, y2 - y1],
    score,
    ...(mask === undefined ? {} : { segmentation: { size: mask.size, counts: compressCounts(mask.counts) } }),
  }));
}

/**
 * Detections from COCO's results format. One without `bbox` gets the box around its mask.
 *
 * @param results - the parsed JSON
 * @param file - the file as messages name it
 * @throws InputError naming every entry that is wrong
 */
export function fromCocoResults(set: DetectionSet, results: unknown, file: string): readonly Detection[] {
  if (!Array.isArray(results)) {
    throw new InputError(`Cannot read the results: ${file} must be a list, current value is ${typeof results}`);
  }
  const images = new Map(set.images.map((image) => [image.id, image]));
  const categories = new Map(set.categories.map(({ id }, index) => [id, index]));
  const faults: string[] = [];
  const detections: Detection[] = [];
  results.forEach((value: unknown, index) => {
    const fault = (field: string, must: string, current: unknown): void => {
      faults.push(`[${index}].${field} must ${must}, current value is ${shown(current)}`);
    };
    const { image_id, category_id, bbox, score, segmentation } = (value ?? {}) as Readonly<Record<string, unknown>>;
    const image = images.get(image_id as ImageId);
    if (image === undefined) return fault("image_id", `be that of an image in ${set.name}`, image_id);
    const category = categories.get(category_id as number);
    if (category === undefined) return fault("category_id", `be that of a category in ${set.name}`, category_id);
    if (!Number.isFinite(score)) return fault("score", "be a number", score);
    const hasBox = Array.isArray(bbox) && bbox.length === 4 && bbox.every(Number.isFinite);
    if (!hasBox && (bbox !== undefined || segmentation === undefined)) {
      return fault("bbox", "be four numbers: x, y, width, height", bbox);
    }
    const detection = { imageId: image.id, category, score: score as number };
    if (segmentation === undefined) {
      detections.push({ ...detection, box: cornersOf(bbox) });
      return;
    }
    const parsed = parseCocoMask(segmentation, image.height, image.width);
    if ("must" in parsed) return fault(`segmentation${parsed.field}`, parsed.must, parsed.value);
    if (parsed.mask === undefined || !("counts" in parsed.mask)) {
      return fault("segmentation", "be run lengths", segmentation);
    }
    const { mask } = parsed;
    detections.push({ ...detection, box: hasBox ? cornersOf(bbox) : maskBox(mask), mask });
  });
  if (faults.length > 0) {
    throw new InputError(
      `Cannot read the results: correct ${file}, faults are ${faults.length}:\n${faults.slice(0, 10_000).join("\n")}`,
    );
  }
  return detections;
}

function cornersOf(bbox: unknown): Box {
  const [x, y, width, height] = bbox as [number, number, number, number];
  return [x, y, x + width, y + height];
}
