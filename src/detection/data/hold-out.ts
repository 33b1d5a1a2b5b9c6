import { createHash } from "node:crypto";
import { InputError } from "../../errors";
import type { DetectionSet } from "../structures/detection-set";

/**
 * Takes a part of a set's images away, to validate on where a data set has no part for it.
 *
 * An image is held out if the SHA-256 of its file name, as a fraction of the largest one, is below `share`: this depends on
 * its name alone, neither on the order of the images nor on a seed. So the held-out part has about that share of them.
 *
 * @param share - between 0 and 1
 * @throws InputError if one of the two parts has no image
 */
export function holdOut(
  set: DetectionSet,
  share: number,
): { readonly kept: DetectionSet; readonly heldOut: DetectionSet } {
  const heldOut = set.images.filter(({ fileName }) => fractionOf(fileName) < share);
  const kept = set.images.filter(({ fileName }) => fractionOf(fileName) >= share);
  if (heldOut.length === 0 || kept.length === 0) {
    throw new InputError(
      `Cannot hold out a part of ${set.name}: heldOut must leave images to both parts, current value ${share} holds out ` +
        `${heldOut.length} of ${set.images.length}`,
    );
  }
  return {
    kept: { ...set, name: `${set.name} but ${share} held out`, images: kept },
    heldOut: { ...set, name: `${set.name}, ${share} held out`, images: heldOut },
  };
}

/** 0 to below 1, evenly spread over names. */
function fractionOf(name: string): number {
  return createHash("sha256").update(name).digest().readUInt32BE(0) / 2 ** 32;
}
