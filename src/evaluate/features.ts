import { InputError } from "../errors";

/** What an encoder (or plain pixels) says of each image of one part of a data set. Every metric reads features, never an encoder. */
export interface Features {
  /** [count, dimension], row-major: the feature of each image, as the encoder gave it. */
  readonly values: Float32Array;
  readonly dimension: number;
  /** Class index of each image. */
  readonly labels: Int32Array;
  /** Images of one group are variants of each other; intervals resample groups. */
  readonly groups: Int32Array;
  /** Index in this part of the same object drawn by the other artist, -1 for none; undefined where a set has no twins. */
  readonly twins: Int32Array | undefined;
}

/**
 * Checks that features fit together: one feature, label and group an image, every value finite.
 *
 * @param part - what the features are of, for the message: "train"
 * @throws {InputError} naming the first fault
 */
export function checkFeatures(features: Features, part: string): void {
  const { values, dimension, labels, groups, twins } = features;
  const count = labels.length;
  const fail = (what: string): never => {
    throw new InputError(`Cannot evaluate the features of ${part}: ${what}`);
  };
  if (count === 0) fail("there must be at least one image, current count is 0");
  if (!Number.isInteger(dimension) || dimension < 1) {
    fail(`dimension must be a positive integer, current value is ${dimension}`);
  }
  if (values.length !== count * dimension) {
    fail(
      `${count} labels of dimension ${dimension} need ${count * dimension} values, current length is ${values.length}`,
    );
  }
  if (groups.length !== count) fail(`${count} labels need as many groups, current length is ${groups.length}`);
  if (twins !== undefined && twins.length !== count) {
    fail(`${count} labels need as many twins, current length is ${twins.length}`);
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const image = Math.floor(bad / dimension);
    fail(`every value must be finite (has the training diverged?), current value at image ${image} is ${values[bad]}`);
  }
}

/**
 * Checks features as `checkFeatures` does, and that they suit a classifier of `classCount` classes.
 *
 * @param dimension - the dimension that the features must have
 * @throws {InputError} naming the first fault
 */
export function checkLabeled(features: Features, part: string, classCount: number, dimension: number): void {
  checkFeatures(features, part);
  if (features.dimension !== dimension) {
    throw new InputError(
      `Cannot evaluate the features of ${part}: dimension must be ${dimension}, as in train, current value is ${features.dimension}`,
    );
  }
  const bad = features.labels.findIndex((label) => label < 0 || label >= classCount);
  if (bad >= 0) {
    throw new InputError(
      `Cannot evaluate the features of ${part}: labels must be from 0 to ${classCount - 1}, ` +
        `current value at image ${bad} is ${features.labels[bad]}`,
    );
  }
}
