import type { Random } from "../engine/random";

/** What is to be split. All three arrays have one value an image. */
export interface Splittable {
  /** Class of each image, for stratification. */
  readonly labels: ArrayLike<number>;
  /** Group of each image; a group is never split. */
  readonly groups: ArrayLike<number>;
}

/**
 * Splits images into parts of given shares, stratified by class, groups whole.
 *
 * Groups are taken in random order, large ones first, and each goes to the part that it fills least: the part whose fullest
 * class among the group's, after taking it, has the smallest share of its target. A set whose images are all groups of
 * their own is split exactly, up to one image a class.
 *
 * @param items - labels and groups
 * @param shares - share of each part, positive, with sum 1
 * @param random - decides the order of groups of the same size
 * @returns for each image the index of its part
 */
export function splitByGroup({ labels, groups }: Splittable, shares: readonly number[], random: Random): Int32Array {
  const classSize = new Map<number, number>();
  const members = new Map<number, number[]>();
  for (let index = 0; index < labels.length; index++) {
    classSize.set(labels[index]!, (classSize.get(labels[index]!) ?? 0) + 1);
    const group = members.get(groups[index]!);
    if (group === undefined) members.set(groups[index]!, [index]);
    else group.push(index);
  }

  const order = [...members.values()];
  const shuffled = [...random.permutation(order.length)].map((place) => order[place]!);
  shuffled.sort((a, b) => b.length - a.length); // stable: equal sizes stay shuffled

  const filled = shares.map(() => new Map<number, number>());
  const parts = new Int32Array(labels.length);
  for (const group of shuffled) {
    const counts = new Map<number, number>();
    for (const index of group) counts.set(labels[index]!, (counts.get(labels[index]!) ?? 0) + 1);
    const fullness = shares.map((share, part) =>
      Math.max(
        ...[...counts].map(
          ([label, count]) => ((filled[part]!.get(label) ?? 0) + count) / (share * classSize.get(label)!),
        ),
      ),
    );
    const part = fullness.indexOf(Math.min(...fullness));
    for (const [label, count] of counts) filled[part]!.set(label, (filled[part]!.get(label) ?? 0) + count);
    for (const index of group) parts[index] = part;
  }
  return parts;
}
