import { showOutput, type Bundle } from "./output";
import { svgChart, type ChartOptions, type Series } from "./svg-chart";

/** One curve or one set of bars of a Plotly figure. Attributes that are not named here reach Plotly as they are. */
export interface Trace {
  /** Default "scatter". */
  readonly type?: "scatter" | "bar";
  /** "markers" draws points without a line. */
  readonly mode?: string;
  readonly name?: string;
  readonly x: readonly (number | string)[];
  readonly y: readonly number[];
  /** Distances of the interval's ends from y: `array` up, `arrayminus` down (the same as up by default). */
  readonly error_y?: { readonly array: readonly number[]; readonly arrayminus?: readonly number[] };
  readonly [attribute: string]: unknown;
}

/** A Plotly figure of curves and bars. */
export interface Figure {
  readonly data: readonly Trace[];
  readonly layout?: Readonly<Record<string, unknown>>;
}

/**
 * Shows a figure below the cell: by Plotly where the viewer can, else as SVG, else as text. Outside a notebook, prints
 * the text.
 */
export function showChart(figure: Figure): void {
  showOutput(chartBundle(figure));
}

/** A figure for Plotly, as SVG, and as text: each curve's last point, each bar. */
export function chartBundle(figure: Figure): Bundle {
  const series = figure.data.map(seriesOf);
  const options = optionsOf(figure.layout ?? {});
  return {
    "application/vnd.plotly.v1+json": { data: figure.data, layout: figure.layout ?? {} },
    "image/svg+xml": svgChart(series, options),
    "text/plain": [...(options.title === undefined ? [] : [options.title]), ...series.map(describe)].join("\n"),
  };
}

function seriesOf(trace: Trace): Series {
  const up = trace.error_y?.array;
  const down = trace.error_y?.arrayminus ?? up;
  return {
    name: trace.name ?? "",
    x: trace.x,
    y: trace.y,
    mark: trace.type === "bar" ? "bar" : trace.mode === "markers" ? "point" : "line",
    ...(up === undefined || down === undefined
      ? {}
      : { intervals: trace.y.map((y, index): [number, number] => [y - (down[index] ?? 0), y + (up[index] ?? 0)]) }),
  };
}

function optionsOf(layout: Readonly<Record<string, unknown>>): ChartOptions {
  const [title, xTitle, yTitle] = [layout["title"], titleOf(layout["xaxis"]), titleOf(layout["yaxis"])].map(textOf);
  return {
    ...(title === undefined ? {} : { title }),
    ...(xTitle === undefined ? {} : { xTitle }),
    ...(yTitle === undefined ? {} : { yTitle }),
    logX: (layout["xaxis"] as { type?: string } | undefined)?.type === "log",
  };
}

function titleOf(axis: unknown): unknown {
  return (axis as { title?: unknown } | undefined)?.title;
}

/** Plotly takes a title as text or as `{ text }`. */
function textOf(title: unknown): string | undefined {
  const text = typeof title === "object" && title !== null ? (title as { text?: unknown }).text : title;
  return typeof text === "string" ? text : undefined;
}

function describe(series: Series): string {
  const points = series.x.map((x, index) => `${x}: ${printNumber(series.y[index]!)}`);
  const shown = series.mark === "line" && points.length > 8 ? [points[0]!, "...", points[points.length - 1]!] : points;
  return `${series.name === "" ? "" : `${series.name}  `}${shown.join(", ")}`;
}

function printNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}
