import { meanOf } from "../statistics/mean";

/** How a metric came out, image by image, so that intervals and paired tests can resample groups. */
export interface Score {
  /** Share of images that are right, 0 to 1. */
  readonly accuracy: number;
  /** 1 where an image is right, else 0. */
  readonly correct: Uint8Array;
  /** The group of each of these images. */
  readonly groups: Int32Array;
}

/** Scores predicted classes against labels. A prediction of -1 is wrong. */
export function scoreOf(predictions: Int32Array, labels: Int32Array, groups: Int32Array): Score {
  const correct = Uint8Array.from(labels, (label, image) => (predictions[image] === label ? 1 : 0));
  return { accuracy: meanOf(correct), correct, groups };
}

/**
 * The class of the largest score in each row; the lower class where two are equal, -1 where no score is a number
 * (a probe that diverged must not pass for one that says class 0).
 *
 * @param scores - [rows, classCount], row-major
 */
export function bestClasses(scores: ArrayLike<number>, classCount: number): Int32Array {
  const classes = new Int32Array(scores.length / classCount).fill(-1);
  for (let row = 0; row < classes.length; row++) {
    let best = -Infinity;
    for (let label = 0; label < classCount; label++) {
      const score = scores[row * classCount + label]!;
      if (score > best) {
        best = score;
        classes[row] = label;
      }
    }
  }
  return classes;
}

/**
 * How many classes score higher than the right one in each row: below k, the row is right among the best k. Of equal scores the
 * lower class comes first. A right class whose score is no number comes last.
 *
 * @param scores - [rows, classCount], row-major
 * @param labels - the right class of each row
 */
export function ranksOf(scores: ArrayLike<number>, labels: ArrayLike<number>, classCount: number): Int32Array {
  return Int32Array.from(labels, (label, row) => {
    const right = scores[row * classCount + label]!;
    if (Number.isNaN(right)) return classCount;
    let rank = 0;
    for (let other = 0; other < classCount; other++) {
      const score = scores[row * classCount + other]!;
      if (score > right || (score === right && other < label)) rank++;
    }
    return rank;
  });
}
