import { randomUUID } from "node:crypto";
import { notebookKernel } from "./kernel";

/** One image in several forms, by MIME type; each viewer shows the richest that it knows. `text/plain` is for all. */
export interface Bundle {
  readonly "text/plain": string;
  readonly [mimeType: string]: unknown;
}

/** An output of a cell that can be replaced. */
export interface Output {
  /** Puts another image in the place of this one. */
  replace(bundle: Bundle): void;
}

interface OutputOptions {
  /** Marks an image of work under way: the headless runner prints its text as it comes. Default false. */
  readonly progress?: boolean;
}

type WriteDisplayData = (
  message: { data: object; metadata: object; transient: { display_id: string } },
  update: boolean,
) => void;

/** Shows a bundle below the cell; outside a notebook, prints its text. */
export function showOutput(bundle: Bundle, options: OutputOptions = {}): Output {
  const id = randomUUID();
  write(bundle, id, options, false);
  return { replace: (next) => write(next, id, options, true) };
}

/** In units of an SVG: what is less wide leaves room on its right, so that no chart is blown up on a wide page. */
const leastWidth = 960;

/**
 * An SVG as wide as its place in the notebook. Viewers show it by an image element, which is as wide as the SVG says whatever
 * room there is, and by one that says no width as wide as its place.
 */
function asWideAsItsPlace(svg: string): string {
  return svg.replace(
    /^(<svg [^>]*?viewBox="0 0 )([\d.]+) ([\d.]+)" width="\2" height="\3"/,
    (_, before: string, width: string, height: string) => `${before}${Math.max(leastWidth, Number(width))} ${height}"`,
  );
}

function write(given: Bundle, id: string, options: OutputOptions, update: boolean): void {
  const kernel = notebookKernel();
  if (kernel === undefined) {
    console.log(given["text/plain"]);
    return;
  }
  const svg = given["image/svg+xml"];
  const bundle = typeof svg === "string" ? { ...given, "image/svg+xml": asWideAsItsPlace(svg) } : given;
  if (kernel.show !== undefined) {
    kernel.show(bundle);
    return;
  }
  // tslab's public display API writes one MIME type an output. Its internal function, of the pinned version, takes all.
  // Loaded here, because outside the kernel tslab would start its compiler.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const tslab = require("tslab/dist/jupyter") as { lastWriteDisplayData: WriteDisplayData | null };
  tslab.lastWriteDisplayData?.(
    { data: bundle, metadata: options.progress === true ? { progress: true } : {}, transient: { display_id: id } },
    update,
  );
}
