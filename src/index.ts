export { tf } from "./engine/tf";
export { randomStream, type Random } from "./engine/random";
export { showChart, type Figure, type Trace } from "./notebook/chart";
export { stopRequested } from "./notebook/kernel";
export { liveCurve, type CurvePoint, type LiveCurve } from "./notebook/live-curve";
export { showTable, type DataFrameLike, type Row, type TableData } from "./notebook/table";
