import { z } from "zod";

/** -0 is a number of JSON, and would be another recipe than 0 that has the same hash. */
export function isNotMinusZero(value: number): boolean {
  return !Object.is(value, -0);
}
/** What is said of it. */
export const minusZero = "Number must be 0 or greater, -0 is not";

/** Whole numbers that JavaScript holds exactly. */
export const positiveInteger = z.number().int().positive().safe();
/** Numbers that float32, which the engine computes in, holds as neither 0 nor infinity. */
export const positive = z.number().positive().min(1.18e-38).max(3.4e38);
/** tau of the contrastive loss. */
export const temperature = positive.describe("T of InfoNCE");
/** Share of the old value that stays. */
export const momentum = z.number().min(0).lt(1).refine(isNotMinusZero, minusZero);
/** Images encoded at a time by the gradient cache; without it the whole batch at once. */
export const chunkSize = positiveInteger.optional();
