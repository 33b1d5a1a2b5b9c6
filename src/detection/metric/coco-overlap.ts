import { InputError } from "../../errors";
import type { Annotation, Box, Detection, DetectionSet } from "../structures/detection-set";
import { maskArea, maskBox, sharedPixels, type Rle } from "../structures/mask-rle";
import { rleOf } from "../structures/polygon-mask";

/** The overlap of a detection with an object, both by their place in the lists given. */
export type OverlapOf = (detection: number, object: number) => number;

/** What COCO's metric asks about the boxes or masks of a set and its detections. Images and detections are indices. */
export interface CocoRegions {
  /** IoU of some detections with some objects, all of one image; for a crowd, the share of the detection inside of it. */
  overlaps(image: number, detections: readonly number[], objects: readonly Annotation[]): OverlapOf;
  /** Area of a detection in pixels. */
  area(image: number, detection: number): number;
}

/** The regions by boxes or by masks. */
export function cocoRegions(set: DetectionSet, detections: readonly Detection[], of: "box" | "mask"): CocoRegions {
  return of === "box" ? boxRegions(detections) : maskRegions(set, detections);
}

function boxRegions(detections: readonly Detection[]): CocoRegions {
  return {
    area: (_image, detection) => boxArea(detections[detection]!.box),
    overlaps(_image, found, objects) {
      const table = new Float64Array(found.length * objects.length);
      found.forEach((detection, row) => {
        objects.forEach(({ box, crowd }, column) => {
          table[row * objects.length + column] = boxOverlap(detections[detection]!.box, box, crowd);
        });
      });
      return (detection, object) => table[detection * objects.length + object]!;
    },
  };
}

function boxArea([x1, y1, x2, y2]: Box): number {
  return extent(x1, x2) * extent(y1, y2);
}

/**
 * Width or height of a box as a COCO file has it. Files give left and width, a {@link Box} left and right, and their difference
 * can miss the width by a last bit: enough to put an overlap of exactly a threshold on the other side of it. Files write few
 * decimals, so the nearest such number is the width, if it is no farther than rounding goes.
 */
function extent(low: number, high: number): number {
  const difference = high - low;
  const decimal = Math.round(difference * 1e6) / 1e6;
  return Math.abs(decimal - difference) <= Math.abs(high) * Number.EPSILON ? decimal : difference;
}

/** IoU of two boxes; for a crowd, the share of the detection inside of it. */
function boxOverlap(detection: Box, object: Box, crowd: boolean): number {
  const width = Math.min(detection[2], object[2]) - Math.max(detection[0], object[0]);
  const height = Math.min(detection[3], object[3]) - Math.max(detection[1], object[1]);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (crowd ? boxArea(detection) : boxArea(detection) + boxArea(object) - shared);
}

/** A mask with what is asked of it often. */
interface Region {
  readonly rle: Rle;
  readonly area: number;
  readonly box: Box;
}

function maskRegions(set: DetectionSet, detections: readonly Detection[]): CocoRegions {
  const ofDetection = new Map<number, Region>();
  const regionOf = (rle: Rle | undefined, image: number, what: string): Region => {
    const { id, width, height } = set.images[image]!;
    if (rle === undefined || rle.size[0] !== height || rle.size[1] !== width) {
      throw new InputError(
        `Cannot evaluate masks: ${what} of image ${id} must have a mask of height ${height} and width ${width}, ` +
          `current is ${rle === undefined ? "none" : `height ${rle.size[0]}, width ${rle.size[1]}`}`,
      );
    }
    return { rle, area: maskArea(rle), box: maskBox(rle) };
  };
  const detected = (image: number, detection: number): Region => {
    let region = ofDetection.get(detection);
    if (region === undefined) {
      region = regionOf(detections[detection]!.mask, image, `detection ${detection}`);
      ofDetection.set(detection, region);
    }
    return region;
  };
  return {
    area: (image, detection) => detected(image, detection).area,
    overlaps(image, found, objects) {
      const { width, height } = set.images[image]!;
      const truth = objects.map(({ mask }) => regionOf(mask && rleOf(mask, height, width), image, "every object"));
      const table = new Float64Array(found.length * objects.length);
      found.forEach((detection, row) => {
        const region = detected(image, detection);
        truth.forEach((object, column) => {
          table[row * objects.length + column] = maskOverlap(region, object, objects[column]!.crowd);
        });
      });
      return (detection, object) => table[detection * objects.length + object]!;
    },
  };
}

function maskOverlap(detection: Region, object: Region, crowd: boolean): number {
  const [a, b] = [detection.box, object.box];
  if (Math.min(a[2], b[2]) <= Math.max(a[0], b[0]) || Math.min(a[3], b[3]) <= Math.max(a[1], b[1])) return 0;
  const shared = sharedPixels(detection.rle, object.rle);
  return shared === 0 ? 0 : shared / (crowd ? detection.area : detection.area + object.area - shared);
}
