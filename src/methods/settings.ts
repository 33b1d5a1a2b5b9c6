import { z } from "zod";

/** Whole numbers that JavaScript holds exactly. */
export const positiveInteger = z.number().int().positive().safe();
/** Numbers that float32, which the engine computes in, holds as neither 0 nor infinity. */
export const positive = z.number().positive().min(1.18e-38).max(3.4e38);
/** tau of the contrastive loss. */
export const temperature = positive.describe("T of InfoNCE");
/** Share of the old value that stays. */
export const momentum = z.number().min(0).lt(1);
/** Images encoded at a time by the gradient cache; without it the whole batch at once. */
export const chunkSize = positiveInteger.optional();
