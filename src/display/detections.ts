import sharp from "sharp";
import type { Detection, DetectionImage, DetectionSet } from "../detection/structures/detection-set";
import type { Mask, Rle } from "../detection/structures/mask-rle";
import { rleOf } from "../detection/structures/polygon-mask";
import { maskPath } from "./mask-path";
import { showOutput } from "./output";
import { escapeHtml } from "./table";

/** Options of {@link showDetections}. */
export interface ShowDetectionsOptions {
  /** Images of the set, in this order. @default the first four */
  readonly images?: readonly DetectionImage[];
  /** Least score of a detection that is drawn. @default 0.5 */
  readonly leastScore?: number;
  /** Whether masks are drawn. @default whether any detection has one */
  readonly masks?: boolean;
}

/**
 * Colors that people who do not see all colors can tell apart (Okabe and Ito, 2008), in turns over the categories, each with
 * the color of text that reads best on it.
 */
const colors = [
  { box: "#e69f00", text: "#000" },
  { box: "#56b4e9", text: "#000" },
  { box: "#009e73", text: "#000" },
  { box: "#f0e442", text: "#000" },
  { box: "#0072b2", text: "#fff" },
  { box: "#d55e00", text: "#000" },
  { box: "#cc79a7", text: "#000" },
  { box: "#ffffff", text: "#000" },
  { box: "#999999", text: "#000" },
] as const;

/** Longer side of an image as shown: small images are enlarged to it, large ones made smaller. */
const panelSide = 320;
/** Longer side of the pixels inside: twice what is shown, for screens with two pixels in one, and no photograph whole. */
const mostPixels = 2 * panelSide;
const gap = 12;
const titleHeight = 20;
const labelHeight = 13;
/** Width of a letter of a label, roughly, at its font size. */
const letterWidth = 6;

/**
 * Shows images with their annotated boxes, and masks where a detector finds masks, on the left and what a detector found on the right; without any detection, the
 * annotated images alone. Boxes have the color of their category, those that are not scored (difficult, crowd) are dashed.
 *
 * @throws InputError when an image cannot be read
 */
export async function showDetections(
  set: DetectionSet,
  detections: readonly Detection[],
  options: ShowDetectionsOptions = {},
): Promise<void> {
  const images = options.images ?? set.images.slice(0, 4);
  const objects = images.reduce((sum, image) => sum + image.objects.length, 0);
  const svg = await detectionsSvg(set, detections, options);
  showOutput({
    // No SVG: JupyterLab shows none of a notebook that it does not trust, as one that was cloned, and makes none narrower.
    "image/png": (await sharp(Buffer.from(svg)).png({ palette: true }).toBuffer()).toString("base64"),
    "text/plain": `${set.name}, images ${images.map(({ id }) => id).join(", ")}: ${objects} annotated objects`,
  });
}

/**
 * What {@link showDetections} shows, as one SVG with the pixels inside, that needs no other file.
 *
 * @throws InputError when an image cannot be read
 */
export async function detectionsSvg(
  set: DetectionSet,
  detections: readonly Detection[],
  options: ShowDetectionsOptions = {},
): Promise<string> {
  const { images = set.images.slice(0, 4), leastScore = 0.5 } = options;
  const withMasks = options.masks ?? detections.some(({ mask }) => mask !== undefined);
  const annotatedOnly = detections.length === 0;
  const columns = annotatedOnly ? 4 : 2; // two images side by side, each annotated and detected, would be too wide
  const panels: string[] = [];
  let [top, right, bottom] = [0, 0, 0];
  for (const [index, image] of images.entries()) {
    const scale = panelSide / Math.max(image.width, image.height);
    const size = { width: image.width * scale, height: image.height * scale };
    const column = annotatedOnly ? index % columns : 0;
    if (column === 0) top = bottom;
    const left = column * (panelSide + gap);
    const pixels = await imageOf(set, image);
    const marksIn = (object: Shown, dashed = false) =>
      marksOf(set, object, scale, size, dashed, withMasks ? maskOf(object, image) : undefined);
    const truth = image.objects.map((object) => marksIn(object, object.difficult || object.crowd));
    panels.push(panel({ left, top, size, pixels, enlarged: scale > 1, title: `${image.id}: annotated`, marks: truth }));
    if (!annotatedOnly) {
      const found = detections
        .filter(({ imageId, score }) => imageId === image.id && score >= leastScore)
        .sort((a, b) => a.score - b.score); // the surest on top
      const marks = found.map((one) => marksIn(one));
      const title = `found, score of ${Math.round(100 * leastScore)} % or more: ${found.length}`;
      panels.push(panel({ left: left + panelSide + gap, top, size, pixels, enlarged: scale > 1, title, marks }));
    }
    right = Math.max(right, left + (annotatedOnly ? 1 : 2) * (panelSide + gap) - gap);
    bottom = Math.max(bottom, top + titleHeight + size.height + gap);
  }
  const [width, height] = [Math.ceil(right), Math.ceil(bottom)];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
    `font-family="sans-serif"><rect width="${width}" height="${height}" fill="#fff"/>${panels.join("")}</svg>`
  );
}

async function imageOf(set: DetectionSet, image: DetectionImage): Promise<string> {
  const { width, height } = image;
  const png = await sharp(await set.readPixels(image), { raw: { width, height, channels: 3 } })
    .resize({ width: mostPixels, height: mostPixels, fit: "inside", withoutEnlargement: true })
    .png()
    .toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}

/** What annotations and detections have in common. */
interface Shown extends Pick<Detection, "box" | "category"> {
  readonly score?: number;
  readonly mask?: Mask;
}

/** A mask, a box and its label as SVG. */
interface Marks {
  readonly mask: string;
  readonly box: string;
  readonly label: string;
}

interface PanelSize {
  readonly width: number;
  readonly height: number;
}

function panel(of: {
  readonly left: number;
  readonly top: number;
  readonly size: PanelSize;
  readonly pixels: string;
  readonly enlarged: boolean;
  readonly title: string;
  readonly marks: readonly Marks[];
}): string {
  const { left, top, size, pixels, enlarged, title, marks } = of;
  // Boxes over all masks, and labels over all boxes: no line goes through a word.
  const drawn = (["mask", "box", "label"] as const).flatMap((layer) => marks.map((one) => one[layer])).join("");
  return (
    `<g transform="translate(${left} ${top})"><text y="14" font-size="12" fill="#333">${escapeHtml(title)}</text>` +
    `<g transform="translate(0 ${titleHeight})"><image href="${pixels}" width="${size.width}" height="${size.height}" ` +
    `preserveAspectRatio="none"${enlarged ? ' style="image-rendering:pixelated"' : ""}/>${drawn}</g></g>`
  );
}

function maskOf({ mask }: Shown, { height, width }: DetectionImage): Rle | undefined {
  return mask && rleOf(mask, height, width);
}

/** A box, and its label above it where there is room, inside the image or, where it is narrow, the blank beside it. */
function marksOf(
  { categories }: DetectionSet,
  { box, category, score }: Shown,
  scale: number,
  size: PanelSize,
  dashed: boolean,
  mask: Rle | undefined,
): Marks {
  const [x1, y1, x2, y2] = box.map((edge) => edge * scale) as [number, number, number, number];
  const color = colors[category % colors.length]!;
  const text = `${categories[category]!.name}${score === undefined ? "" : ` ${Math.round(100 * score)} %`}`;
  const width = Math.min(panelSide, text.length * letterWidth + 4);
  const x = Math.max(0, Math.min(x1, size.width - width));
  const y = Math.max(0, Math.min(y1 - labelHeight, size.height - labelHeight));
  return {
    mask:
      mask === undefined
        ? ""
        : `<path d="${maskPath(mask)}" transform="scale(${scale})" fill="${color.box}" fill-opacity="0.5" shape-rendering="crispEdges"/>`,
    box:
      `<rect x="${x1.toFixed(1)}" y="${y1.toFixed(1)}" width="${(x2 - x1).toFixed(1)}" height="${(y2 - y1).toFixed(1)}" ` +
      `fill="none" stroke="${color.box}" stroke-width="2"${dashed ? ' stroke-dasharray="4 3"' : ""}/>`,
    label:
      `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${width}" height="${labelHeight}" fill="${color.box}"/>` +
      `<text x="${(x + 2).toFixed(1)}" y="${(y + labelHeight - 3).toFixed(1)}" font-size="10" fill="${color.text}" ` +
      `textLength="${width - 4}" lengthAdjust="spacingAndGlyphs">${escapeHtml(text)}</text>`,
  };
}
