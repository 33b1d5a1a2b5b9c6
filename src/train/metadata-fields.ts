import { z } from "zod";

/** Fields of a checkpoint's metadata, which safetensors keeps as text. */

export const wholeNumber = z.string().regex(/^\d+$/).transform(Number);

export const integer = z
  .string()
  .regex(/^-?\d+$/)
  .transform(Number);

export const decimal = z
  .string()
  .regex(/^\d+\.\d+$/)
  .transform(Number);

export const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "Invalid JSON" });
    return z.NEVER;
  }
});
