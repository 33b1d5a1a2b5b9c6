import { uniteMasks, type Mask, type Rle } from "./mask-rle";

/** Outlines are followed on a grid this many times finer than the pixels. */
const upsampling = 5;

/** A mask of any form as run lengths, as COCO's `annToRLE`: polygons are filled and united. */
export function rleOf(mask: Mask, height: number, width: number): Rle {
  if ("counts" in mask) return mask;
  const [first, ...others] = mask.map((polygon) => fillPolygon(polygon, height, width));
  return first === undefined
    ? { size: [height, width], counts: Uint32Array.of(height * width) }
    : uniteMasks([first, ...others]);
}

/**
 * The pixels in a polygon, by the rule of COCO's mask API: the outline is followed on a five times finer grid, and where
 * it goes from one column to the next through a column of pixels, the mask changes between 0 and 1 below that point. The
 * masks of COCO's own files were made by this rule, so another one gives other areas.
 *
 * @param polygon - [x0, y0, x1, y1, ...] in pixels; it closes by itself
 */
export function fillPolygon(polygon: readonly number[], height: number, width: number): Rle {
  const changes: number[] = [];
  let lastX: number | undefined;
  let lastY = 0;
  forOutline(polygon, (x, y) => {
    if (lastX !== undefined && x !== lastX) {
      // The column that lies between the two points, if one's center does.
      const column = (Math.min(x, lastX) + 0.5) / upsampling - 0.5;
      if (Number.isInteger(column) && column >= 0 && column <= width - 1) {
        const row = (Math.min(y, lastY) + 0.5) / upsampling - 0.5;
        changes.push(column * height + Math.ceil(Math.min(Math.max(row, 0), height)));
      }
    }
    lastX = x;
    lastY = y;
  });
  return { size: [height, width], counts: countsBetween(changes, height * width) };
}

/** Visits the points of an outline on the finer grid; an edge is stepped along its longer direction, both ends included. */
function forOutline(polygon: readonly number[], visit: (x: number, y: number) => void): void {
  const corners = Int32Array.from(polygon, (value) => Math.trunc(upsampling * value + 0.5));
  const count = Math.floor(corners.length / 2);
  for (let corner = 0; corner < count; corner++) {
    const next = (corner + 1) % count;
    const [x0, y0] = [corners[2 * corner]!, corners[2 * corner + 1]!];
    const [x1, y1] = [corners[2 * next]!, corners[2 * next + 1]!];
    const [width, height] = [Math.abs(x1 - x0), Math.abs(y1 - y0)];
    const length = Math.max(width, height);
    const acrossX = width >= height;
    // Rounding must not depend on the direction: an edge is computed from its lower end along the longer direction.
    const backward = acrossX ? x0 > x1 : y0 > y1;
    const [fromX, fromY, toX, toY] = backward ? [x1, y1, x0, y0] : [x0, y0, x1, y1];
    const slope = length === 0 ? 0 : acrossX ? (toY - fromY) / width : (toX - fromX) / height;
    for (let step = 0; step <= length; step++) {
      const along = backward ? length - step : step;
      if (acrossX) visit(fromX + along, Math.trunc(fromY + slope * along + 0.5));
      else visit(Math.trunc(fromX + slope * along + 0.5), fromY + along);
    }
  }
}

/** Run lengths from the positions at which the mask changes; two changes at one position cancel. */
function countsBetween(changes: readonly number[], total: number): Uint32Array {
  const kept: number[] = [];
  for (const position of Uint32Array.from(changes).sort()) {
    if (kept.at(-1) === position) kept.pop();
    else kept.push(position);
  }
  if (kept.at(-1) !== total) kept.push(total);
  return Uint32Array.from(kept, (position, index) => position - (kept[index - 1] ?? 0));
}
