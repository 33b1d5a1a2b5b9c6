import { showOutput, type Bundle } from "./output";
import { besideEachOther, svgChart, type ChartOptions, type DrawnChart, type Series } from "./svg-chart";

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
  /** "x2" and "y2": the second axes, above and on the right, for numbers of another scale. */
  readonly xaxis?: "x" | "x2";
  readonly yaxis?: "y" | "y2";
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

/**
 * A figure for Plotly, as SVG, and as text: each curve's last point, each bar. What has second axes stands in a chart of its
 * own in the SVG, beside the others.
 */
export function chartBundle(figure: Figure): Bundle {
  const series = figure.data.map(seriesOf);
  const title = optionsOf(figure.layout ?? {}, "").title;
  return {
    "application/vnd.plotly.v1+json": plotlyFigure(figure),
    "image/svg+xml": drawFigure(figure).svg,
    "text/plain": [...(title === undefined ? [] : [title]), ...series.map(describe)].join("\n"),
  };
}

/**
 * The figure as Plotly is given it: as wide as its place and no wider, the names of curves below the chart, where they
 * cover no point.
 */
export function plotlyFigure({
  data,
  layout = {},
}: {
  readonly data: readonly object[];
  readonly layout?: Readonly<Record<string, unknown>>;
}): { readonly data: readonly object[]; readonly layout: object } {
  const { title, xaxis, xaxis2, yaxis, yaxis2, ...rest } = layout;
  const axis = (given: unknown, automatic: object) => {
    const { title: axisTitle, ...others } = given as { readonly title?: unknown };
    const name = textOf(axisTitle);
    const titled = name !== undefined && { title: { text: name, standoff: 6 } };
    return { automargin: true, ...automatic, ...titled, ...others };
  };
  const text = textOf(title);
  const lines = text === undefined ? [] : linesOf(text);
  // A second axis with a domain has a place of its own, beside the first.
  const beside = (xaxis2 as { readonly domain?: unknown } | undefined)?.domain !== undefined;
  const above = xaxis2 === undefined || beside ? 0 : axisHeight;
  return {
    data: data.map(visible),
    layout: {
      autosize: true,
      height: plotHeight + lineHeight * (lines.length + namesBelow(data)) + above,
      margin: { l: 40, r: 16, t: 20 + lineHeight * lines.length + above, b: 40 },
      legend: { orientation: "h", x: 0, xanchor: "left", yref: "container", y: 0, yanchor: "bottom" },
      ...rest,
      ...(text !== undefined && {
        title: { text: lines.join("<br>"), font: { size: 15 }, ...titlePlace(lines.length) },
      }),
      ...(xaxis !== undefined && { xaxis: axis(xaxis, {}) }),
      ...(xaxis2 !== undefined && {
        xaxis2: axis(xaxis2, beside ? { anchor: "y2" } : { ...secondAxis, overlaying: "x", side: "top" }),
      }),
      ...(yaxis !== undefined && { yaxis: axis(yaxis, {}) }),
      ...(yaxis2 !== undefined && {
        yaxis2: axis(yaxis2, beside ? { anchor: "x2" } : { ...secondAxis, overlaying: "y", side: "right" }),
      }),
    },
  };
}

/** A line through one point cannot be seen: the point is marked. */
function visible(trace: { readonly x?: readonly unknown[]; readonly mode?: string }): object {
  return trace.mode === "lines" && trace.x?.length === 1 ? { ...trace, mode: "markers" } : trace;
}

/** Its own ticks, where Plotly would put them at those of the first axis, whatever the numbers there. */
const secondAxis = { showgrid: false, tickmode: "auto" } as const;

/** Plotly puts a title of several lines 10 pixels higher than one of one line, which would be cut off. */
function titlePlace(lines: number): object {
  const pad = { t: lines > 1 ? 18 : 8 };
  return { x: 0.01, xanchor: "left", yref: "container", y: 1, yanchor: "top", pad };
}

/** In pixels. */
const [plotHeight, lineHeight, axisHeight] = [340, 20, 36];
/** Letters of a title that a narrow page has room for. */
const titleLetters = 42;

function namesBelow(data: readonly object[]): number {
  const named = data.filter((trace) => (trace as { readonly showlegend?: boolean }).showlegend !== false).length;
  return named > 1 ? Math.ceil(named / 2) : 0;
}

function linesOf(title: string): string[] {
  const lines = [""];
  for (const word of title.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > titleLetters) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}

/** A figure drawn without a browser. */
export function drawFigure({ data, layout = {} }: Figure): DrawnChart {
  const isSecond = ({ xaxis, yaxis }: Trace): boolean => xaxis === "x2" || yaxis === "y2";
  const groups = [
    { traces: data.filter((trace) => !isSecond(trace)), axes: "" as const },
    { traces: data.filter(isSecond), axes: "2" as const },
  ].filter(({ traces }, index) => index === 0 || traces.length > 0);
  const width = groups.length > 1 ? halfWidth : undefined;
  return besideEachOther(
    groups.map(({ traces, axes }) =>
      svgChart(traces.map(seriesOf), { ...optionsOf(layout, axes), ...(width !== undefined && { width }) }),
    ),
  );
}

/** Of a chart that shares its place with another one. */
const halfWidth = 460;

function seriesOf(trace: Trace): Series {
  const up = trace.error_y?.array;
  const down = trace.error_y?.arrayminus ?? up;
  return {
    name: trace.name ?? "",
    x: trace.x,
    y: trace.y,
    mark: trace.type === "bar" ? "bar" : trace.mode === "markers" ? "point" : "line",
    color: styleOf(trace, "line").color ?? styleOf(trace, "marker").color,
    ...dashOf(styleOf(trace, "line")),
    ...(up === undefined || down === undefined
      ? {}
      : { intervals: trace.y.map((y, index): [number, number] => [y - (down[index] ?? 0), y + (up[index] ?? 0)]) }),
  };
}

function styleOf(trace: Trace, of: "line" | "marker"): { readonly color?: string; readonly dash?: string } {
  return trace[of] ?? {};
}

/** Only where a figure says so: a chart decides of lines that are not told. */
function dashOf({ dash }: { readonly dash?: string }): Pick<Series, "dashed"> {
  return dash === undefined ? {} : { dashed: dash !== "solid" };
}

function optionsOf(layout: Readonly<Record<string, unknown>>, axes: "" | "2"): ChartOptions {
  const xaxis = layout[`xaxis${axes}`] ?? layout["xaxis"];
  const yaxis = layout[`yaxis${axes}`] ?? layout["yaxis"];
  const [title, xTitle, yTitle] = [layout["title"], titleOf(xaxis), titleOf(yaxis)].map(textOf);
  return {
    ...(title === undefined ? {} : { title }),
    ...(xTitle === undefined ? {} : { xTitle }),
    ...(yTitle === undefined ? {} : { yTitle }),
    logX: isLogarithmic(xaxis),
    logY: isLogarithmic(yaxis),
  };
}

function isLogarithmic(axis: unknown): boolean {
  return (axis as { type?: string } | undefined)?.type === "log";
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
