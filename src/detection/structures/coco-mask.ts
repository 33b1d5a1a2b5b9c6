import type { Mask } from "./mask-rle";
import { parseCounts } from "./mask-string";

/** What is wrong with a mask: the field below `segmentation`, what it must do, and its value. */
export interface MaskFault {
  readonly field: string;
  readonly must: string;
  readonly value: unknown;
}

/** A mask, and which of its polygons were dropped. */
export interface ParsedMask {
  readonly mask: Mask | undefined;
  /** Polygons of less than three corners, where others are good. */
  readonly dropped: readonly MaskFault[];
}

/** Numbers of a polygon of three corners. */
const minimumNumbers = 6;

/**
 * The mask of COCO's `segmentation` for an image: polygons, or run lengths as a list or a compressed string. An empty list
 * is no mask. Polygons of less than three corners are dropped where others are good, as COCO's own files have some.
 */
export function parseCocoMask(segmentation: unknown, height: number, width: number): ParsedMask | MaskFault {
  if (Array.isArray(segmentation)) return parsePolygons(segmentation, height, width);
  const { size, counts } = (segmentation ?? {}) as Readonly<Record<string, unknown>>;
  if (!Array.isArray(size) || size.length !== 2 || size[0] !== height || size[1] !== width) {
    return { field: ".size", must: `be that of its image, [${height}, ${width}]`, value: size };
  }
  let parsed: Uint32Array;
  if (typeof counts === "string") {
    try {
      parsed = parseCounts(counts);
    } catch (error) {
      return { field: ".counts", must: `be whole (${(error as Error).message})`, value: counts };
    }
  } else if (Array.isArray(counts) && counts.every((count) => Number.isInteger(count) && count >= 0)) {
    parsed = Uint32Array.from(counts as number[]);
  } else {
    return { field: ".counts", must: "be a string or a list of integers of 0 or more", value: counts };
  }
  const sum = parsed.reduce((total, count) => total + count, 0);
  if (sum !== height * width) {
    return { field: ".counts", must: `add up to ${height} x ${width} = ${height * width}`, value: sum };
  }
  return { mask: { size: [height, width], counts: parsed }, dropped: [] };
}

function parsePolygons(polygons: readonly unknown[], height: number, width: number): ParsedMask | MaskFault {
  if (polygons.length === 0) return { mask: undefined, dropped: [] };
  // Corners may lie outside by rounding; an outline far outside would take forever to follow.
  const reach = Math.max(height, width);
  const good: unknown[] = [];
  const dropped: MaskFault[] = [];
  for (const [index, polygon] of polygons.entries()) {
    const field = `[${index}]`;
    const fault = { field, must: "be a list of three corners or more, x and y in turn", value: polygon };
    if (!Array.isArray(polygon) || polygon.length % 2 !== 0) return fault;
    if (polygon.length < minimumNumbers) {
      dropped.push(fault);
      continue;
    }
    const wrong = polygon.find(
      (value) => !(value >= -reach && value <= 2 * reach) || typeof value !== "number",
    ) as unknown;
    if (wrong !== undefined) {
      return { field, must: `have numbers in or near its image of ${width} x ${height}`, value: wrong };
    }
    good.push(polygon);
  }
  return good.length > 0 ? { mask: good as Mask, dropped } : dropped[0]!;
}
