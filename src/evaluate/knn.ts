import { InputError } from "../errors";
import { checkLabeled, type Features } from "./features";
import { forNearest } from "./nearest";
import { bestClasses, scoreOf, type Score } from "./score";

/** Settings of the weighted kNN classifier. There are no defaults: sources differ (200 and 0.07, 200 and 0.1, 20), so a number without them says little. */
export interface KnnOptions {
  /** Number of neighbors that vote. */
  readonly k: number;
  /** T in the vote's weight exp(similarity / T). */
  readonly temperature: number;
  readonly classCount: number;
}

/** Accuracy of the weighted kNN classifier with the settings that it was taken with. */
export interface KnnScore extends Score {
  readonly k: number;
  readonly temperature: number;
}

/**
 * The weighted kNN classifier of instance discrimination (Wu et al., CVPR 2018, section 3.4): the `k` images of `train` of
 * largest cosine similarity vote for their class with weight exp(similarity / T). Equal votes go to the lower class index,
 * equal similarities to the earlier image. Nothing is trained.
 *
 * @param train - the bank of neighbors
 * @param test - the images to classify
 * @throws {InputError} if `k` exceeds the bank, or features and labels do not fit
 */
export function knn(train: Features, test: Features, options: KnnOptions): KnnScore {
  const { k, temperature, classCount } = options;
  checkLabeled(train, "train", classCount, train.dimension);
  checkLabeled(test, "test", classCount, train.dimension);
  const bankSize = train.labels.length;
  if (!Number.isInteger(k) || k < 1 || k > bankSize) {
    throw new InputError(
      `Cannot find neighbors: k must be an integer from 1 to ${bankSize}, the number of training images, current value is ${k}`,
    );
  }
  if (!(temperature > 0 && temperature < Infinity)) {
    throw new InputError(`Cannot weigh neighbors: temperature must be positive, current value is ${temperature}`);
  }
  const votes = new Float64Array(test.labels.length * classCount);
  forNearest(train, test, k, (image, similarities, neighbors) => {
    for (let rank = 0; rank < k; rank++) {
      // Relative to the nearest: the same classes win, and a small T cannot overflow.
      const weight = Math.exp((similarities[rank]! - similarities[0]!) / temperature);
      votes[image * classCount + train.labels[neighbors[rank]!]!]! += weight;
    }
  });
  return { ...scoreOf(bestClasses(votes, classCount), test.labels, test.groups), k, temperature };
}
