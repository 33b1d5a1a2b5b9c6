import { z } from "zod";

/** Refuses -0: it is a number of JSON, and would be another recipe than 0 that has the same hash. */
function notMinusZero(schema: z.ZodNumber) {
  return schema.refine((value) => !Object.is(value, -0), "Number must be 0 or greater, -0 is not");
}

/** Whole numbers that JavaScript holds exactly. */
export const positiveInteger = z.number().int().positive().safe();
/** Numbers that float32, which the engine computes in, holds as neither 0 nor infinity. */
export const positive = z.number().positive().min(1.18e-38).max(3.4e38);
/** tau of the contrastive loss. */
export const temperature = positive.describe("T of InfoNCE");
/** Share of the old value that stays. */
export const momentum = notMinusZero(z.number().min(0).lt(1));
/** Factor of the L2 penalty. */
export const weightDecay = notMinusZero(z.number().min(0).max(3.4e38));
/** Whole numbers from 0 on. */
export const count = notMinusZero(z.number().int().min(0).safe());
/** Images encoded at a time by the gradient cache; without it the whole batch at once. */
export const chunkSize = positiveInteger.optional();
