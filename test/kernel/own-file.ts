export const own = "own";

export function fail(): never {
  throw new Error("failed");
}

/** Calls `step` again and again, until what awaits it is stopped. */
export async function repeat(step: () => void): Promise<never> {
  for (;;) {
    step();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
