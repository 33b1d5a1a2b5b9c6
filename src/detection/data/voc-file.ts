import { DOMParser, type Element } from "@xmldom/xmldom";
import { decodeText } from "../../data/decode-text";
import { isDecimal } from "../../files/decimal";
import type { AnnotationFaults } from "./annotation-faults";
import type { Box } from "../structures/detection-set";
import { maximumPixels } from "./image-files";

/** What an annotation file of PASCAL VOC says. */
export interface VocFile {
  readonly width: number;
  readonly height: number;
  readonly objects: readonly VocObject[];
}

export interface VocObject {
  /** Number of the object in its file, from 1. */
  readonly at: number;
  readonly name: string;
  readonly difficult: boolean;
  /** xmin, ymin, xmax, ymax as written: pixel indices from 1. */
  readonly box: Box;
}

/** The encoding that an XML file declares. */
const declaration = /^<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']/;

/**
 * Parses an annotation file. What is wrong is added to `found`; objects without area are left out.
 *
 * @param path - the file as messages name it
 * @returns undefined where the file as a whole cannot be read
 */
export function parseVocFile(bytes: Uint8Array, path: string, found: AnnotationFaults): VocFile | undefined {
  const text = decodeXml(bytes, path, found);
  const root = text === undefined ? undefined : parseXml(text, path, found);
  if (root === undefined) return undefined;
  const fault = (field: string, must: string, value: string | undefined): undefined => {
    found.faults.push(
      `${path}: ${field} must ${must}, current value is ${value === undefined ? "none" : value || "empty"}`,
    );
    return undefined;
  };
  const size = child(root, "size");
  const [width, height] = (["width", "height"] as const).map((side) => {
    const value = textOf(size, side);
    return /^[1-9][0-9]{0,8}$/.test(value ?? "")
      ? Number(value)
      : fault(`size.${side}`, "be a positive integer", value);
  });
  if (width !== undefined && height !== undefined && width * height > maximumPixels) {
    fault("size", `have at most ${maximumPixels} pixels`, `${width} x ${height}`);
  }
  const objects: VocObject[] = [];
  children(root, "object").forEach((element, index) => {
    const at = index + 1;
    const name = textOf(element, "name");
    if (name === undefined || name === "") return fault(`object ${at}: name`, "be given", name);
    const flag = textOf(element, "difficult") ?? "0";
    if (flag !== "0" && flag !== "1") return fault(`object ${at}: difficult`, "be 0 or 1", flag);
    const corners = child(element, "bndbox");
    const values = ["xmin", "ymin", "xmax", "ymax"].map((field) => {
      const value = textOf(corners, field);
      const number = value !== undefined && isDecimal(value) ? Number(value) : NaN;
      return Number.isFinite(number) ? number : fault(`object ${at}: bndbox.${field}`, "be a number", value);
    });
    if (values.some((value) => value === undefined)) return;
    const box = values as unknown as Box;
    const [x1, y1, x2, y2] = box;
    if (x2 <= x1 || y2 <= y1) {
      found.empty.push(
        `${path}: object ${at} (${name}): bndbox must have xmin < xmax and ymin < ymax, current value is ${box.join(", ")}`,
      );
      return;
    }
    if (width !== undefined && height !== undefined && (x2 < 1 || y2 < 1 || x1 > width || y1 > height)) {
      return fault(`object ${at}: bndbox`, `touch the image of ${width} x ${height}`, box.join(", "));
    }
    objects.push({ at, name, difficult: flag === "1", box });
  });
  return { width: width ?? 0, height: height ?? 0, objects };
}

/** By the rules of XML: its byte-order mark, else what it declares, else UTF-8. */
function decodeXml(bytes: Uint8Array, path: string, found: AnnotationFaults): string | undefined {
  // In UTF-16 every other byte of the declaration is zero.
  const start = Buffer.from(bytes.subarray(0, 400)).toString("latin1");
  const declared = declaration.exec(start.replaceAll("\0", ""))?.[1];
  const wide = start.startsWith("<\0") ? "utf-16le" : start.startsWith("\0<") ? "utf-16be" : undefined;
  try {
    return decodeText(bytes, wide ?? declared);
  } catch (error) {
    found.faults.push(
      error instanceof RangeError
        ? `${path}: its encoding must be a known one, current value is ${declared}`
        : `${path}: must be text in ${declared ?? "UTF-8, or declare its encoding"}`,
    );
    return undefined;
  }
}

function parseXml(text: string, path: string, found: AnnotationFaults): Element | undefined {
  const report = (reason: string): void => {
    found.faults.push(`${path}: must be well-formed XML: ${reason}`);
  };
  let stopped = false;
  try {
    const document = new DOMParser({
      onError: (_level, message) => {
        if (!stopped) report(message.replace(/\s+/g, " ").slice(0, 200));
        stopped = true;
        throw new Error(message);
      },
    }).parseFromString(text, "text/xml");
    const root = document.documentElement;
    if (root?.tagName === "annotation") return root;
    found.faults.push(`${path}: the outermost element must be annotation, current one is ${root?.tagName ?? "none"}`);
  } catch (error) {
    if (!stopped) report(error instanceof Error ? error.message : String(error));
  }
  return undefined;
}

/** Direct children only: an object's parts have names and boxes of their own. */
function children(element: Element, name: string): readonly Element[] {
  const list: Element[] = [];
  for (let node = element.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType === node.ELEMENT_NODE && node.nodeName === name) list.push(node as Element);
  }
  return list;
}

function child(element: Element | undefined, name: string): Element | undefined {
  return element === undefined ? undefined : children(element, name)[0];
}

function textOf(element: Element | undefined, name: string): string | undefined {
  return child(element, name)?.textContent?.trim();
}
