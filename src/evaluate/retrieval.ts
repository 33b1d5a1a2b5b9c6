import { InputError } from "../errors";
import { checkFeatures, type Features } from "./features";
import { forNearest } from "./nearest";
import { meanOf } from "../statistics/mean";
import type { Score } from "./score";

/** Which images of a part ask, and which may be the answer. Both are indices in the part. */
export interface RetrievalTask {
  readonly queries: Int32Array;
  readonly gallery: Int32Array;
}

/** Share of queries whose nearest image is their twin. `correct` and `groups` have an entry a query. */
export interface RetrievalScore extends Score {
  /** Index in the part of each query. */
  readonly queries: Int32Array;
  /** Number of images to choose from: chance is 1 in `gallerySize`. */
  readonly gallerySize: number;
}

/**
 * Retrieval of the same object drawn by the other artist: the query's nearest image of the gallery by cosine similarity is
 * right if it is the query's twin. Nothing is trained. Of equal similarities the first in the gallery counts.
 *
 * @param features - of one part, with twins
 * @throws {InputError} if the part has no twins, or a query's twin is not in the gallery
 */
export function retrieval(features: Features, task: RetrievalTask): RetrievalScore {
  checkFeatures(features, "the images to retrieve");
  const { queries, gallery } = task;
  const { twins } = features;
  if (twins === undefined) {
    throw new InputError(
      "Cannot retrieve twins: the data set must have each object drawn by two hands, this one has no twins",
    );
  }
  const answers = new Set(gallery);
  for (const query of queries) {
    const twin = twins[query];
    if (twin === undefined || !answers.has(twin)) {
      throw new InputError(
        `Cannot retrieve twins: the gallery must hold the twin of every query, it lacks that of image ${query}`,
      );
    }
  }
  const asked = select(features, queries);
  const correct = new Uint8Array(queries.length);
  forNearest(select(features, gallery), asked, 1, (query, _similarities, [nearest]) => {
    correct[query] = gallery[nearest!] === twins[queries[query]!] ? 1 : 0;
  });
  return { accuracy: meanOf(correct), correct, groups: asked.groups, queries, gallerySize: gallery.length };
}

/**
 * The retrieval task from one hand to the other: the images of `from` that have a twin ask, all images of `to` may answer.
 *
 * @param ids - names of images that end in the hand, "1f600/google"
 * @param twins - index of each image's twin, -1 for none
 * @default hands from Noto ("google") to Twemoji ("twitter")
 * @throws {InputError} if there is nothing to ask
 */
export function twinTask(
  ids: readonly string[],
  twins: Int32Array,
  hands: { readonly from: string; readonly to: string } = { from: "google", to: "twitter" },
): RetrievalTask {
  const drawnBy = (hand: string) => [...ids.keys()].filter((image) => ids[image]!.endsWith(`/${hand}`));
  const queries = drawnBy(hands.from).filter((image) => (twins[image] ?? -1) >= 0);
  if (queries.length === 0) {
    throw new InputError(
      `Cannot retrieve twins: some images of hand "${hands.from}" must have a twin, current count is 0`,
    );
  }
  return { queries: Int32Array.from(queries), gallery: Int32Array.from(drawnBy(hands.to)) };
}

/** The features of some images, in the order of `images`. */
function select(features: Features, images: Int32Array): Features {
  const { dimension } = features;
  const values = new Float32Array(images.length * dimension);
  images.forEach((image, row) => {
    values.set(features.values.subarray(image * dimension, (image + 1) * dimension), row * dimension);
  });
  const labels = images.map((image) => features.labels[image]!);
  const groups = images.map((image) => features.groups[image]!);
  return { values, dimension, labels, groups, twins: undefined };
}
