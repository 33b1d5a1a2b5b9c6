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
}

export interface ChartOptions {
  readonly title?: string;
  readonly xTitle?: string;
  readonly yTitle?: string;
  /** Draws x by its logarithm; all x must be positive. Default false. */
  readonly logX?: boolean;
}

const WIDTH = 640;
const HEIGHT = 320;
const MARGIN = { top: 34, right: 16, bottom: 48, left: 64 };
/** Okabe and Ito's colors, which readers with color blindness can tell apart. */
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];

/** Draws a plain chart as SVG text, without a browser: for live curves, and where Plotly's output is not shown. */
export function svgChart(series: readonly Series[], options: ChartOptions = {}): string {
  const categories = categoriesOf(series);
  const position = (x: number | string): number =>
    categories === undefined ? Number(x) : categories.indexOf(String(x));
  const scaleX = (x: number): number => (options.logX === true && categories === undefined ? Math.log(x) : x);
  const barSeries = series.filter((one) => one.mark === "bar");

  const xs = series.flatMap((one) => one.x.map((x) => scaleX(position(x)))).filter(Number.isFinite);
  const ys = series.flatMap((one) => [...one.y, ...(one.intervals ?? []).flat()]).filter(Number.isFinite);
  const yDomain = padded(barSeries.length > 0 ? [0, ...ys] : ys, 0.05);
  const xDomain = categories === undefined && barSeries.length === 0 ? padded(xs, 0) : padded(xs, 0, 0.5);
  const left = (x: number | string): number => place(scaleX(position(x)), xDomain, MARGIN.left, WIDTH - MARGIN.right);
  const top = (y: number): number => place(y, yDomain, HEIGHT - MARGIN.bottom, MARGIN.top);

  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" ` +
      `font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>`,
    ...ticks(yDomain).map((y) => horizontalTick(top(y), y)),
    ...xTicks(series, categories, xDomain, options.logX === true).map((x) =>
      text(left(x), HEIGHT - MARGIN.bottom + 16, typeof x === "number" ? printTick(x) : x, "middle"),
    ),
    ...series.flatMap((one, index) => drawSeries(one, COLOURS[index % COLOURS.length]!, left, top, barSeries)),
    text(WIDTH / 2, 14, options.title ?? "", "middle", "bold"),
    text(WIDTH / 2, HEIGHT - 8, options.xTitle ?? "", "middle"),
    `<g transform="rotate(-90 14 ${HEIGHT / 2})">${text(14, HEIGHT / 2, options.yTitle ?? "", "middle")}</g>`,
    ...(series.length > 1 ? legend(series) : []),
    "</svg>",
  ];
  return parts.filter((part) => part !== "").join("\n");
}

/** Puts charts below one another in one image. */
export function stackCharts(charts: readonly string[]): string {
  const size = `viewBox="0 0 ${WIDTH} ${HEIGHT * charts.length}" width="${WIDTH}" height="${HEIGHT * charts.length}"`;
  const placed = charts.map((chart, index) => `<g transform="translate(0 ${HEIGHT * index})">${chart}</g>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>\n${placed.join("\n")}\n</svg>`;
}

function categoriesOf(series: readonly Series[]): readonly string[] | undefined {
  const xs = series.flatMap((one) => one.x);
  return xs.some((x) => typeof x === "string") ? [...new Set(xs.map(String))] : undefined;
}

function drawSeries(
  series: Series,
  color: string,
  left: (x: number | string) => number,
  top: (y: number) => number,
  barSeries: readonly Series[],
): string[] {
  const points = series.x.flatMap((x, index) => {
    const y = series.y[index]!;
    return Number.isFinite(y) && Number.isFinite(left(x))
      ? [{ x: left(x), y: top(y), interval: series.intervals?.[index] }]
      : [];
  });
  const width =
    (0.7 * (WIDTH - MARGIN.left - MARGIN.right)) / Math.max(1, series.x.length) / Math.max(1, barSeries.length);
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
    drawn.push(...points.map(({ x, y }) => `<circle cx="${round(x)}" cy="${round(y)}" r="4" fill="${color}"/>`));
  } else if (points.length > 0) {
    const path = points.map(({ x, y }) => `${round(x)},${round(y)}`).join(" ");
    drawn.push(`<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>`);
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

function legend(series: readonly Series[]): string[] {
  return series.map((one, index) => {
    const y = MARGIN.top + 14 * index + 6;
    const mark = `<rect x="${WIDTH - MARGIN.right - 12}" y="${y - 9}" width="10" height="10" fill="${COLOURS[index % COLOURS.length]!}"/>`;
    return mark + text(WIDTH - MARGIN.right - 18, y, one.name, "end");
  });
}

function horizontalTick(y: number, value: number): string {
  const line = `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${round(y)}" y2="${round(y)}" stroke="#ddd"/>`;
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
  return String(Number(value.toPrecision(4)));
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
