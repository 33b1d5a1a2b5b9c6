import { imageTensor } from "../data/batches";
import type { ImageSet } from "../data/image-set";
import { tf } from "../engine/tf";
import type { Features } from "../evaluate/features";
import { forNearest } from "../evaluate/nearest";
import { showImages } from "./images";
import { showNotes } from "./notes";

/** Images, and what an encoder says of each. */
export interface EncodedImages {
  readonly set: ImageSet;
  readonly features: Features;
}

/** Rows of a sheet. */
const shown = 5;
/** In a row, beside the query. */
const neighbors = 6;

/**
 * Shows five images, spread evenly over `queries`, each with the six of `bank` whose features are nearest by cosine similarity,
 * nearest first.
 *
 * @param title - what made the features, for example "never trained"
 */
export async function showNearest(title: string, bank: EncodedImages, queries: EncodedImages): Promise<void> {
  const sheet = nearestSheet(bank, queries);
  try {
    showNotes([`${title}: an image, and its ${neighbors} nearest`]);
    await showImages(sheet, { columns: 1 + neighbors, text: `nearest neighbors, ${title}` });
  } finally {
    sheet.dispose();
  }
}

/** The images that {@link showNearest} shows, row by row: a query, then its neighbors; [rows * 7, size, size, 3], 0 to 1. */
export function nearestSheet(bank: EncodedImages, queries: EncodedImages): tf.Tensor4D {
  const count = queries.features.labels.length;
  const wanted = Array.from({ length: Math.min(shown, count) }, (_, place) => Math.floor((place * count) / shown));
  const nearest = new Map<number, Int32Array>();
  forNearest(bank.features, queries.features, neighbors, (query, _similarities, found) => {
    if (wanted.includes(query)) nearest.set(query, found.slice());
  });
  return tf.tidy(() => {
    const rows = wanted.flatMap((query) => [
      imageTensor(queries.set, Int32Array.of(query)),
      imageTensor(bank.set, nearest.get(query)!),
    ]);
    return tf.concat4d(rows, 0);
  });
}
