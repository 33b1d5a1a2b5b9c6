import { z } from "zod";
import { InputError } from "../errors";
import type { Evaluation } from "./evaluate-features";
import { meanOf } from "../statistics/mean";
import type { Score } from "./score";

const share = z.number().min(0).max(1);
const index = z.number().int().nonnegative();
const bits = z.string().regex(/^[01]+$/, "must be a string of 0 and 1");

const score = { accuracy: share, correct: bits };
const fit = {
  l2: z.number().positive(),
  validationAccuracy: share,
  objective: z.number(),
  iterations: index,
  converged: z.boolean(),
};

const schema = z
  .object({
    groups: z.array(z.number().int()),
    knn: z.object({ ...score, k: z.number().int().positive(), temperature: z.number().positive() }).strict(),
    linear: z
      .object({
        ...score,
        rate: z.number().positive(),
        atEdge: z.boolean(),
        rates: z.array(z.object({ rate: z.number().positive(), validationAccuracy: share }).strict()),
        validationAccuracy: share,
        trainAccuracy: share,
      })
      .strict(),
    logistic: z
      .object({
        ...score,
        ...fit,
        atEdge: z.boolean(),
        strengths: z.array(z.object(fit).strict()),
        trainAccuracy: share,
      })
      .strict(),
    retrieval: z
      .object({ ...score, queries: z.array(index), gallerySize: z.number().int().positive() })
      .strict()
      .nullable(),
  })
  .strict();

/** An evaluation as it is stored: `correct` as a string of 0 and 1, the groups of the test images once. */
export type EvaluationJson = z.infer<typeof schema>;

/** Plain data for `JSON.stringify`. */
export function evaluationToJson(evaluation: Evaluation): EvaluationJson {
  const { retrieval } = evaluation;
  return {
    groups: [...evaluation.knn.groups],
    knn: packed(evaluation.knn),
    linear: { ...packed(evaluation.linear), rates: [...evaluation.linear.rates] },
    logistic: { ...packed(evaluation.logistic), strengths: [...evaluation.logistic.strengths] },
    retrieval: retrieval === undefined ? null : { ...packed(retrieval), queries: [...retrieval.queries] },
  };
}

/**
 * Reads what `evaluationToJson` made.
 *
 * @param json - parsed JSON, of unknown shape
 * @param source - the file's name, for messages
 * @throws {InputError} naming the first field that does not fit
 */
export function evaluationFromJson(json: unknown, source: string): Evaluation {
  const fail = (problem: string): never => {
    throw new InputError(`Cannot read the evaluation of ${source}: ${problem}`);
  };
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return fail(`${issue!.path.join(".") || "the whole"}: ${issue!.message}`);
  }
  const { knn, linear, logistic, retrieval } = parsed.data;
  const groups = Int32Array.from(parsed.data.groups);
  return {
    knn: unpacked("knn", knn, groups, fail),
    linear: unpacked("linear", linear, groups, fail),
    logistic: unpacked("logistic", logistic, groups, fail),
    retrieval: retrieval === null ? undefined : unpackedRetrieval(retrieval, groups, fail),
  };
}

function packed<T extends Score>({ correct, groups: _groups, ...rest }: T) {
  return { ...rest, correct: Array.from(correct).join("") };
}

function unpacked<T extends { readonly accuracy: number; readonly correct: string }>(
  metric: string,
  stored: T,
  groups: Int32Array,
  fail: (problem: string) => never,
) {
  const correct = Uint8Array.from(stored.correct, Number);
  if (correct.length !== groups.length) {
    fail(
      `${metric}: correct must have a digit for each of ${groups.length} images, current length is ${correct.length}`,
    );
  }
  const share = meanOf(correct);
  if (Math.abs(share - stored.accuracy) > 1e-9) {
    fail(`${metric}: accuracy must be the share of ones in correct, ${share}, current value is ${stored.accuracy}`);
  }
  return { ...stored, correct, groups };
}

function unpackedRetrieval(
  stored: NonNullable<EvaluationJson["retrieval"]>,
  groups: Int32Array,
  fail: (problem: string) => never,
) {
  const queries = Int32Array.from(stored.queries);
  const beyond = queries.find((query) => query >= groups.length);
  if (beyond !== undefined) {
    fail(`retrieval.queries: must be below ${groups.length}, the number of images, current value is ${beyond}`);
  }
  const asked = queries.map((query) => groups[query]!);
  return { ...unpacked("retrieval", stored, asked, fail), queries };
}
