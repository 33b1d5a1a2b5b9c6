import { damageRows } from "./damage";
import { diskRows } from "./disks";
import { killRows } from "./kills";
import type { Row } from "./row";
import { sameBitsRows } from "./same-bits";
import { surroundingRows } from "./surroundings";
import { twoProcessRows } from "./two-processes";

/** All rows of the table, in its order. */
export const rows: readonly Row[] = [
  ...killRows,
  ...diskRows,
  ...damageRows,
  ...surroundingRows,
  ...twoProcessRows,
  ...sameBitsRows,
];
