import type { Rle } from "../detection/structures/mask-rle";

/** The pixels of a mask as the `d` of an SVG path, in pixels of its image: one rectangle for each run in a column. */
export function maskPath({ size: [height], counts }: Rle): string {
  const rectangles: string[] = [];
  let at = 0;
  counts.forEach((count, index) => {
    const end = at + count;
    if (index % 2 === 1) {
      // A run goes on from the foot of one column to the head of the next.
      for (let start = at; start < end;) {
        const [x, y] = [Math.floor(start / height), start % height];
        const length = Math.min(height - y, end - start);
        rectangles.push(`M${x} ${y}h1v${length}h-1z`);
        start += length;
      }
    }
    at = end;
  });
  return rectangles.join("");
}
