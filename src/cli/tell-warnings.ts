import type { ImageData } from "../data/image-set";
import { printable } from "../display/printable";

/** Tells on stderr what was passed over when a data set was read, and which classes a part does not have. */
export function tellWarnings({ warnings = [] }: Pick<ImageData, "warnings">): void {
  for (const warning of warnings) console.error(printable(warning));
}
