import { expect } from "vitest";

/** The message of the InputError with which a reading fails. */
export async function messageOf(reading: Promise<unknown>): Promise<string> {
  try {
    await reading;
  } catch (error) {
    expect((error as Error).name).toBe("InputError");
    return (error as Error).message;
  }
  throw new Error("it was read");
}
