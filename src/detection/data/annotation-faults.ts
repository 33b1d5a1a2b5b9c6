import { InputError } from "../../errors";

/** Faults that one message lists; a file of another kind altogether has one for each of its entries. */
const listedFaults = 10_000;

/** What is wrong with annotation files, collected so that one message can name everything. */
export interface AnnotationFaults {
  /** Each with file, field, and what the field must be. */
  readonly faults: string[];
  /** Objects without area, in the same form. */
  readonly empty: string[];
  /** Polygons of less than three corners, in objects whose other polygons are good; in the same form. */
  readonly dropped: string[];
}

/** Nothing wrong, so far. */
export function noFaults(): AnnotationFaults {
  return { faults: [], empty: [], dropped: [] };
}

/**
 * Refuses annotations that have faults.
 *
 * @returns the objects and polygons that are left out
 * @throws InputError listing every fault
 */
export function refuseFaults(
  root: string,
  { faults, empty, dropped }: AnnotationFaults,
  leaveOutEmpty: boolean,
): readonly string[] {
  const refused = leaveOutEmpty ? faults : [...faults, ...empty];
  if (refused.length === 0) return [...empty, ...dropped];
  const more = refused.length > listedFaults ? `\n... and ${refused.length - listedFaults} more` : "";
  const hint = faults.length === 0 ? " (or leave objects without area out by the option leaveOutEmpty)" : "";
  throw new InputError(
    `Cannot read the annotations: correct the files of ${root}${hint}, faults are ${refused.length}:\n` +
      refused.slice(0, listedFaults).join("\n") +
      more,
  );
}
