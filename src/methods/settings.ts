import { z } from "zod";

export const positiveInteger = z.number().int().positive();
/** tau of the contrastive loss. */
export const temperature = z.number().positive().finite();
/** Share of the old value that stays. */
export const momentum = z.number().min(0).lt(1);
/** Images encoded at a time by the gradient cache; without it the whole batch at once. */
export const chunkSize = positiveInteger.optional();
