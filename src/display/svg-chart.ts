/** Points to draw: as a line, as bars, or as points alone. */
export interface Series {
  readonly name: string;
  /** Numbers, or names for a chart of categories. */
  readonly x: readonly (number | string)[];
  /** The same count as `x`. Points that are not finite are left out. */
  readonly y: readonly number[];
  /** Lower and upper end of an interval around each point. */
  readonly intervals?: readonly (readonly [number, number])[];
  /** Default "line". */
  readonly mark?: "line" | "bar" | "point";
  /** @default a color of its own */
  readonly color?: string | undefined;
  /** @default that of no other series of the same color */
  readonly dashed?: boolean;
}

/** How a chart is labeled, and how wide it is. */
export interface ChartOptions {
  readonly title?: string;
  readonly xTitle?: string;
  readonly yTitle?: string;
  /** Draws x by its logarithm; all x must be positive. Default false. */
  readonly logX?: boolean;
  /** In pixels, as drawn; viewers make it narrower where there is no room. @default 640 */
  readonly width?: number;
}

/** A drawn chart. */
export interface DrawnChart {
  /** SVG text. */
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

const DEFAULT_WIDTH = 640;
/** Without the legend, which stands below the chart so that it covers no point. */
const HEIGHT = 320;
const MARGIN = { top: 34, right: 16, bottom: 48, left: 64 };
const LEGEND = { rowHeight: 18, markWidth: 16, letterWidth: 6.6, gap: 14 };
/** Okabe and Ito's colors, which readers with color blindness can tell apart. */
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];

/** Draws a plain chart as SVG, without a browser: for live curves, and where Plotly's output is not shown. */
export function svgChart(series: readonly Series[], options: ChartOptions = {}): DrawnChart {
  const width = options.width ?? DEFAULT_WIDTH;
  const categories = categoriesOf(series);
  const position = (x: number | string): number =>
    categories === undefined ? Number(x) : categories.indexOf(String(x));
  const scaleX = (x: number): number => (options.logX === true && categories === undefined ? Math.log(x) : x);
  const barSeries = series.filter((one) => one.mark === "bar");

  const xs = series.flatMap((one) => one.x.map((x) => scaleX(position(x)))).filter(Number.isFinite);
  const ys = series.flatMap((one) => [...one.y, ...(one.intervals ?? []).flat()]).filter(Number.isFinite);
  const yDomain = padded(barSeries.length > 0 ? [0, ...ys] : ys, 0.05);
  const xDomain = categories === undefined && barSeries.length === 0 ? padded(xs, 0) : padded(xs, 0, 0.5);
  const left = (x: number | string): number => place(scaleX(position(x)), xDomain, MARGIN.left, width - MARGIN.right);
  const top = (y: number): number => place(y, yDomain, HEIGHT - MARGIN.bottom, MARGIN.top);

  const legend = series.length > 1 ? legendOf(series, width) : { parts: [], rows: 0 };
  const height = HEIGHT + legend.rows * LEGEND.rowHeight;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
      `style="max-width:100%" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>`,
    ...ticks(yDomain).map((y) => horizontalTick(top(y), y, width)),
    ...apart(
      xTicks(series, categories, xDomain, options.logX === true).map((x) => ({
        at: left(x),
        label: typeof x === "number" ? printTick(x) : x,
      })),
    ).map(({ at, label }) => {
      // The last one stays within the image.
      const rightmost = width - (LEGEND.letterWidth * label.length) / 2 - 2;
      return text(Math.min(at, rightmost), HEIGHT - MARGIN.bottom + 16, label, "middle");
    }),
    ...series.flatMap((one, index) => drawSeries(one, lookOf(one, index), { left, top, barSeries, width })),
    text(width / 2, 14, options.title ?? "", "middle", "bold"),
    text(width / 2, HEIGHT - 8, options.xTitle ?? "", "middle"),
    `<g transform="rotate(-90 14 ${HEIGHT / 2})">${text(14, HEIGHT / 2, options.yTitle ?? "", "middle")}</g>`,
    ...legend.parts,
    "</svg>",
  ];
  return { svg: parts.filter((part) => part !== "").join("\n"), width, height };
}

/** Puts charts beside one another in one image, as many in a row as `columns`; a single one stays as it is. */
export function besideEachOther(charts: readonly DrawnChart[], columns = 2): DrawnChart {
  if (charts.length === 1) return charts[0]!;
  const [cellWidth, cellHeight] = [
    Math.max(...charts.map(({ width }) => width)),
    Math.max(...charts.map(({ height }) => height)),
  ];
  const [width, height] = [
    Math.min(columns, charts.length) * cellWidth,
    Math.ceil(charts.length / columns) * cellHeight,
  ];
  const placed = charts.map(({ svg }, index) => {
    const [x, y] = [(index % columns) * cellWidth, Math.floor(index / columns) * cellHeight];
    // A picture within a picture has no room of its own to keep to.
    return `<g transform="translate(${x} ${y})">${svg.replace(' style="max-width:100%"', "")}</g>`;
  });
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
    `style="max-width:100%">\n${placed.join("\n")}\n</svg>`;
  return { svg, width, height };
}

function categoriesOf(series: readonly Series[]): readonly string[] | undefined {
  const xs = series.flatMap((one) => one.x);
  return xs.some((x) => typeof x === "string") ? [...new Set(xs.map(String))] : undefined;
}

/** Where the points of a chart go. */
interface Plane {
  readonly left: (x: number | string) => number;
  readonly top: (y: number) => number;
  readonly barSeries: readonly Series[];
  readonly width: number;
}

/** How a series is drawn. */
interface Look {
  readonly color: string;
  /** SVG's `stroke-dasharray`; undefined for a whole line. */
  readonly dash: string | undefined;
}

/** Colors first; where they begin anew, the line is broken, and the points are open. */
function lookOf({ color, dashed }: Series, index: number): Look {
  const around = Math.floor(index / COLOURS.length);
  const dash = (dashed ?? around > 0) ? ["4 3", "1 3", "8 3"][Math.max(0, around - 1) % 3] : undefined;
  return { color: color ?? COLOURS[index % COLOURS.length]!, dash };
}

function drawSeries(
  series: Series,
  { color, dash }: Look,
  { left, top, barSeries, width: chartWidth }: Plane,
): string[] {
  const points = series.x.flatMap((x, index) => {
    const y = series.y[index]!;
    return Number.isFinite(y) && Number.isFinite(left(x))
      ? [{ x: left(x), y: top(y), interval: series.intervals?.[index] }]
      : [];
  });
  const width =
    (0.7 * (chartWidth - MARGIN.left - MARGIN.right)) / Math.max(1, series.x.length) / Math.max(1, barSeries.length);
  const shift = series.mark === "bar" ? (barSeries.indexOf(series) - (barSeries.length - 1) / 2) * width : 0;
  const drawn: string[] = [];
  if (series.mark === "bar") {
    for (const { x, y } of points) {
      const [upper, height] = [Math.min(y, top(0)), Math.abs(y - top(0))];
      drawn.push(
        `<rect x="${round(x + shift - width / 2)}" y="${round(upper)}" width="${round(width)}" height="${round(height)}" fill="${color}"/>`,
      );
    }
  } else if (series.mark === "point" || points.length === 1) {
    const fill = dash === undefined ? `fill="${color}"` : `fill="white" stroke="${color}" stroke-width="2"`;
    drawn.push(...points.map(({ x, y }) => `<circle cx="${round(x)}" cy="${round(y)}" r="4" ${fill}/>`));
  } else if (points.length > 0) {
    const path = points.map(({ x, y }) => `${round(x)},${round(y)}`).join(" ");
    const broken = dash === undefined ? "" : ` stroke-dasharray="${dash}"`;
    drawn.push(`<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"${broken}/>`);
  }
  for (const { x, interval } of points) {
    if (interval !== undefined) {
      const at = round(x + shift);
      drawn.push(
        `<line x1="${at}" x2="${at}" y1="${round(top(interval[0]))}" y2="${round(top(interval[1]))}" stroke="#333" stroke-width="1.5"/>`,
      );
    }
  }
  return drawn;
}

/** Names of the curves, in rows below the chart. */
function legendOf(series: readonly Series[], width: number): { readonly parts: string[]; readonly rows: number } {
  let [x, row] = [MARGIN.left, 0];
  const parts = series.map((one, index) => {
    const length = LEGEND.markWidth + LEGEND.letterWidth * one.name.length;
    if (x > MARGIN.left && x + length > width - MARGIN.right) [x, row] = [MARGIN.left, row + 1];
    const y = HEIGHT + LEGEND.rowHeight * row + 8;
    const { color, dash } = lookOf(one, index);
    const fill = dash === undefined ? `fill="${color}"` : `fill="white" stroke="${color}" stroke-width="2"`;
    const mark = `<rect x="${round(x)}" y="${y - 9}" width="10" height="10" ${fill}/>`;
    const part = mark + text(x + LEGEND.markWidth, y, one.name, "start");
    x += length + LEGEND.gap;
    return part;
  });
  return { parts, rows: row + 1 };
}

function horizontalTick(y: number, value: number, width: number): string {
  const line = `<line x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${round(y)}" y2="${round(y)}" stroke="#ddd"/>`;
  return line + text(MARGIN.left - 6, y + 4, printTick(value), "end");
}

function xTicks(
  series: readonly Series[],
  categories: readonly string[] | undefined,
  domain: readonly [number, number],
  log: boolean,
): readonly (number | string)[] {
  if (categories !== undefined) {
    return categories;
  }
  // On a logarithmic axis and under bars, the values themselves are the marks: there are few.
  const values = [...new Set(series.flatMap((one) => one.x.map(Number)))];
  return log || series.some((one) => one.mark === "bar") ? values : ticks(domain);
}

/** Labels of an axis without those that would cover the one before them. */
function apart<T extends { readonly at: number; readonly label: string }>(labels: readonly T[]): readonly T[] {
  const ordered = [...labels].sort((a, b) => a.at - b.at);
  const half = ({ label }: T) => (LEGEND.letterWidth * label.length) / 2;
  const kept: T[] = [];
  for (const label of ordered) {
    const before = kept.at(-1);
    if (before === undefined || label.at - half(label) > before.at + half(before) + 4) kept.push(label);
  }
  return kept;
}

/** About five round values within a domain. */
function ticks([low, high]: readonly [number, number]): number[] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) => (first + index) * step);
}

function padded(values: readonly number[], share: number, atLeast = 0): readonly [number, number] {
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  if (!Number.isFinite(low)) {
    return [0, 1];
  }
  const pad = Math.max(share * (high - low), atLeast, low === high ? 0.5 : 0);
  return [low - pad, high + pad];
}

function place(value: number, [low, high]: readonly [number, number], from: number, to: number): number {
  return from + ((value - low) / (high - low)) * (to - from);
}

function printTick(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(4)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function text(x: number, y: number, content: string, anchor: "start" | "middle" | "end", weight = "normal"): string {
  if (content === "") {
    return "";
  }
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-weight="${weight}" fill="#333">${escaped}</text>`;
}
