/** A share in percent: "56.3 %"; a dash where there is none. */
export function percent(share: number | null | undefined, digits = 1): string {
  return isNone(share) ? "–" : `${percentValue(share, digits)} %`;
}

/** The same without its unit, for a column that has it in its title: "56.3". */
export function percentValue(share: number | null | undefined, digits = 1): string {
  return isNone(share) ? "–" : (100 * share).toFixed(digits);
}

function isNone(share: number | null | undefined): share is null | undefined {
  return share === null || share === undefined;
}
