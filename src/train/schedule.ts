/** How the learning rate falls. */
export type Schedule =
  | { readonly kind: "cosine" }
  | { readonly kind: "step"; readonly milestones: readonly number[]; readonly factor: number };

/**
 * Learning rate of an epoch, as the official code sets it: once an epoch, epochs counted from 0, no warm-up.
 *
 * Cosine: rate 0.5 (1 + cos(pi epoch / epochs)), MoCo v2. Step: times `factor` from each milestone on, MoCo v1 (0.1 at
 * epochs 120 and 160 of 200).
 */
export function learningRateAt(schedule: Schedule, baseRate: number, epoch: number, epochs: number): number {
  if (schedule.kind === "cosine") return baseRate * 0.5 * (1 + Math.cos((Math.PI * epoch) / epochs));
  return baseRate * schedule.factor ** schedule.milestones.filter((milestone) => epoch >= milestone).length;
}
