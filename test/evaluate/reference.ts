import { readFileSync } from "node:fs";
import { join } from "node:path";
import { randomStream } from "../../src/engine/random";
import type { Features } from "../../src/evaluate/features";

/** Features and labels, as test/golden/evaluate.py writes them. */
interface StoredPart {
  readonly dimension: number;
  readonly values: readonly number[];
  readonly labels: readonly number[];
}

interface StoredLogistic {
  readonly l2: number;
  readonly objective: number;
  readonly correct: readonly number[];
}

interface StoredSet {
  readonly train: StoredPart;
  readonly test: StoredPart;
  readonly logistic: readonly StoredLogistic[];
}

interface Reference {
  readonly tall: StoredSet & {
    readonly knn: readonly { readonly k: number; readonly temperature: number; readonly correct: readonly number[] }[];
    readonly probe: readonly {
      readonly rate: number;
      readonly correct: readonly number[];
      readonly clear: readonly number[];
    }[];
  };
  readonly wide: StoredSet;
}

/** What scikit-learn, PyTorch and NumPy say; made by test/golden/evaluate.py. */
export const reference = JSON.parse(readFileSync(join(__dirname, "fixtures", "reference.json"), "utf8")) as Reference;

/** Features of a stored part. */
export function stored(part: StoredPart): Features {
  return featuresOf(part.values, part.labels);
}

/** Features in which every image is a group of its own. */
export function featuresOf(values: ArrayLike<number>, labels: ArrayLike<number>): Features {
  return {
    values: Float32Array.from(values),
    dimension: values.length / labels.length,
    labels: Int32Array.from(labels),
    groups: Int32Array.from({ length: labels.length }, (_, image) => image),
    twins: undefined,
  };
}

/** Three classes of 2-dimensional features: clouds of standard deviation 0.3 around corners at distance 2 and more. */
export function clouds(seed: number, count: number): Features {
  const corners = [
    [0, 0],
    [2, 0],
    [0, 2],
  ] as const;
  const random = randomStream(seed, "clouds");
  const labels = Array.from({ length: count }, (_, image) => image % 3);
  const values = labels.flatMap((label) => corners[label]!.map((center) => center + 0.3 * random.normal()));
  return featuresOf(values, labels);
}

/** The same features with labels in random order. */
export function shuffled(features: Features, seed: number): Features {
  const order = randomStream(seed, "shuffled").permutation(features.labels.length);
  return { ...features, labels: order.map((image) => features.labels[image]!) };
}
