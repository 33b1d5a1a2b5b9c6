import type { Features } from "./features";
import { knn, type KnnScore } from "./knn";
import { linearProbe, type LinearProbeScore } from "./linear-probe";
import { logisticRegression, type LogisticRegressionScore } from "./logistic-regression";
import { retrieval, type RetrievalScore, type RetrievalTask } from "./retrieval";

/** Settings of a whole evaluation. */
export interface EvaluationOptions {
  readonly classCount: number;
  /** Number of neighbors of the kNN classifier. */
  readonly k: number;
  /** T of the kNN classifier. */
  readonly temperature: number;
  /** Seed of the linear probe. */
  readonly seed: number;
  /** Which test images are to find their twin; undefined where the data set has no twins. */
  readonly retrieval: RetrievalTask | undefined;
}

/** What the frozen features of one encoder (or plain pixels) are worth, by every metric, on test. */
export interface Evaluation {
  readonly knn: KnnScore;
  readonly linear: LinearProbeScore;
  readonly logistic: LogisticRegressionScore;
  /** undefined where the data set has no twins. */
  readonly retrieval: RetrievalScore | undefined;
}

/**
 * Evaluates features by weighted kNN, the paper's linear probe, logistic regression run to convergence, and retrieval of twins.
 * Choices are made on `validation`; `test` is read once by each metric.
 *
 * @throws {InputError} if options, features and labels do not fit
 */
export function evaluateFeatures(
  train: Features,
  validation: Features,
  test: Features,
  options: EvaluationOptions,
): Evaluation {
  return {
    knn: knn(train, test, options),
    linear: linearProbe(train, validation, test, options),
    logistic: logisticRegression(train, validation, test, options),
    retrieval: options.retrieval && retrieval(test, options.retrieval),
  };
}
