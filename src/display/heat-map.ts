import { plotlyFigure } from "./chart";
import { showOutput, type Bundle } from "./output";
import { escapeHtml } from "./table";

/** A grid of numbers. */
export interface HeatMap {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  /** Names of the columns. */
  readonly x: readonly string[];
  /** Names of the rows, the first on top. */
  readonly y: readonly string[];
  /** [y][x]; undefined where there is no number. */
  readonly values: readonly (readonly (number | undefined)[])[];
  /** What is written into each field, [y][x]. */
  readonly texts: readonly (readonly string[])[];
}

const FIELD = { width: 120, height: 44 };
/** Of all fields together: those of many columns are narrower. */
const MOST_WIDTH = 720;
const MARGIN = { top: 40, left: 90, bottom: 44 };
/** Ends of the color scale, light for low: the first and last of ColorBrewer's Blues without white. */
const COLOURS = { low: [222, 235, 247], high: [66, 146, 198] } as const;

/** Shows a heat map below the cell: by Plotly where the viewer can, else as SVG, else as text. */
export function showHeatMap(map: HeatMap): void {
  showOutput(heatMapBundle(map));
}

/** A heat map for Plotly, as SVG, and as text. */
export function heatMapBundle(map: HeatMap): Bundle {
  const { title, xTitle, yTitle, x, y, values, texts } = map;
  const rgb = (color: readonly number[]): string => `rgb(${color.join(",")})`;
  return {
    "application/vnd.plotly.v1+json": plotlyFigure({
      data: [
        {
          type: "heatmap",
          x,
          y,
          z: values.map((row) => row.map((value) => value ?? null)),
          text: texts,
          texttemplate: "%{text}",
          colorscale: [
            [0, rgb(COLOURS.low)],
            [1, rgb(COLOURS.high)],
          ],
        },
      ],
      layout: {
        title: { text: title },
        xaxis: { title: { text: xTitle }, type: "category" },
        yaxis: { title: { text: yTitle }, type: "category", autorange: "reversed" },
      },
    }),
    "image/svg+xml": svgHeatMap(map),
    "text/plain": [title, ...y.map((name, row) => `${yTitle} ${name}: ${describe(map, row)}`)].join("\n"),
  };
}

function describe({ xTitle, x, texts }: HeatMap, row: number): string {
  return x.map((name, column) => `${xTitle} ${name}: ${texts[row]![column]!}`).join(", ");
}

function svgHeatMap({ title, xTitle, yTitle, x, y, values, texts }: HeatMap): string {
  const known = values.flat().filter((value) => value !== undefined);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const fieldWidth = Math.min(FIELD.width, MOST_WIDTH / x.length);
  const width = MARGIN.left + x.length * fieldWidth + 10;
  const height = MARGIN.top + y.length * FIELD.height + MARGIN.bottom;
  const color = (value: number | undefined): string => {
    if (value === undefined) return "#eee";
    const share = high > low ? (value - low) / (high - low) : 0;
    return `rgb(${COLOURS.low.map((from, index) => Math.round(from + share * (COLOURS.high[index]! - from))).join(",")})`;
  };
  const text = (left: number, top: number, content: string, more = ""): string =>
    `<text x="${left}" y="${top}" text-anchor="middle" fill="#222"${more}>${escapeHtml(content)}</text>`;
  const middle = (column: number): number => MARGIN.left + (column + 0.5) * fieldWidth;
  const fields = values.flatMap((row, at) =>
    row.map((value, column) => {
      const top = MARGIN.top + at * FIELD.height;
      const place = `x="${MARGIN.left + column * fieldWidth}" y="${top}" width="${fieldWidth}" height="${FIELD.height}"`;
      const field = `<rect ${place} fill="${color(value)}" stroke="white"/>`;
      return field + text(middle(column), top + FIELD.height / 2 + 4, texts[at]![column]!);
    }),
  );
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
      `font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>`,
    ...fields,
    ...y.map((name, row) => text(MARGIN.left - 34, MARGIN.top + (row + 0.5) * FIELD.height + 4, name)),
    ...x.map((name, column) => text(middle(column), height - MARGIN.bottom + 16, name)),
    text(width / 2, 18, title, ' font-weight="bold"'),
    text(width / 2, height - 8, xTitle),
    `<g transform="rotate(-90 14 ${height / 2})">${text(14, height / 2, yTitle)}</g>`,
    "</svg>",
  ];
  return parts.join("\n");
}
