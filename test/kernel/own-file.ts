export const own = "own";

export function fail(): never {
  throw new Error("failed");
}
