import type { Figure, Trace } from "../../display/chart";
import type { Interval } from "../../statistics/intervals";
import type { Ablation } from "./ablation";
import { metricNames, type AblationResult, type MetricName } from "./ablation-result";
import { metricTitles } from "./ablation-rows";

/**
 * Accuracy by every measure over K or m, with intervals, and the published numbers in the same chart on axes of their own,
 * because they are of ImageNet. Points without lines where the rows lie along no axis.
 */
export function ablationFigure({ ablation, rows, baselines }: AblationResult): Figure {
  const ordered = ablation.axis.values.length > 0;
  const x = ordered ? ablation.axis.values.map(String) : rows.map(({ label }) => label);
  const traces = metricNames.flatMap((metric): Trace[] => {
    const points = rows.flatMap((row, index) => {
      const interval = row.metrics[metric];
      return interval === undefined ? [] : [{ interval, x: x[index]! }];
    });
    if (points.length === 0) return [];
    return [{ name: metricTitles[metric], ...curveOf(points), mode: ordered ? "lines+markers" : "markers" }];
  });
  const random = theRandomNetwork(baselines)?.retrieval;
  const inPaper = rows.flatMap(({ published: paper }, index) => (paper ? [{ x: x[index]!, y: paper.value }] : []));
  // Along an axis, also the paper's values that the preset leaves out; elsewhere they are other methods.
  const leftOut = ordered ? ablation.publishedOnly : [];
  const published = [
    ...inPaper,
    ...leftOut.map((row) => ({ x: row.label.replace(`${ablation.axis.name} = `, ""), y: row.published.value })),
  ].filter((point): point is { x: string; y: number } => point.y !== "fail");
  const failed = inPaper.filter(({ y }) => y === "fail");
  const curves = ablation.publishedCurves?.flatMap(({ points }): Trace[] => [publishedTrace("published", points)]);
  const points: Trace = {
    name: "published (ImageNet, right)",
    x: published.map((point) => point.x),
    y: published.map((point) => point.y),
    mode: ordered ? "lines+markers" : "markers",
    ...ofThePaper,
    yaxis: "y2",
  };
  return {
    data: [
      ...traces,
      ...(random === undefined
        ? []
        : [{ name: "retrieval, random network", x, y: x.map(() => 100 * random.mean), mode: "lines" }]),
      ...(curves ?? (published.length === 0 ? [] : [points])),
    ],
    layout: {
      title: { text: ablation.title },
      xaxis: { title: { text: ablation.axis.name }, type: "category" },
      yaxis: { title: { text: "accuracy on test (%)" } },
      ...(curves && { xaxis2: publishedAxis(ablation) }),
      ...((curves ?? published).length > 0 && { yaxis2: publishedAccuracy }),
      ...(failed.length > 0 && { annotations: failed.map(({ x: at }) => failedInPaper(at)) }),
    },
  };
}

/** A word where the paper has no number. */
function failedInPaper(x: string): object {
  return { x, xref: "x", y: 0, yref: "paper", yanchor: "bottom", text: "published: fail", showarrow: false };
}

/** Of random networks where all rows have the same encoder. */
function theRandomNetwork({
  randomNetworks,
}: AblationResult["baselines"]): AblationResult["rows"][number]["metrics"] | undefined {
  return randomNetworks.length === 1 ? randomNetworks[0]!.metrics : undefined;
}

/** One measure over K, a curve for each series of the cells, and the paper's curves in the same chart on axes of their own. */
export function seriesFigure({ ablation, rows, baselines }: AblationResult, metric: MetricName): Figure {
  const points = ablation.cells.map((cell, index) => ({
    series: cell.series ?? "",
    x: ablation.axis.values[index]!,
    interval: rows[index]!.metrics[metric],
  }));
  const names = [...new Set(points.map(({ series }) => series))];
  const ours = names.map((name, index): Trace => {
    const shown = points.flatMap(({ series, x, interval }) => (series === name && interval ? [{ x, interval }] : []));
    return { name, ...curveOf(shown), mode: "lines+markers", line: { color: colorOf(index) } };
  });
  const published = names.flatMap((name, index): Trace[] => {
    const curve = ablation.publishedCurves?.find((one) => one.name === name);
    return curve === undefined ? [] : [publishedTrace(`${name}, published`, curve.points, colorOf(index))];
  });
  const random = theRandomNetwork(baselines)?.[metric];
  const ends = [Math.min(...ablation.axis.values), Math.max(...ablation.axis.values)];
  return {
    data: [
      ...ours,
      ...(random
        ? [{ name: "random network", x: ends, y: ends.map(() => 100 * random.mean), mode: "lines" as const }]
        : []),
      ...published,
    ],
    layout: {
      title: { text: `${ablation.title}: ${metricTitles[metric]}` },
      // A mark at each doubling.
      xaxis: {
        title: { text: "negatives of a query" },
        type: "log",
        tick0: Math.log10(ends[0]!),
        dtick: Math.log10(2),
      },
      yaxis: { title: { text: "accuracy on test (%)" } },
      ...(published.length > 0 && { xaxis2: publishedAxis(ablation), yaxis2: publishedAccuracy }),
    },
  };
}

/**
 * One measure over K or m: a point a seed, the mean with a band of its interval, and the paper's curve beside. Only where the
 * rows lie along an axis and there is more than one seed.
 */
export function seedFigure({ ablation, rows }: AblationResult, metric: MetricName): Figure | undefined {
  const shown = rows.flatMap((row, index) => {
    const interval = row.metrics[metric];
    const x = ablation.axis.values[index];
    return interval === undefined || x === undefined || row.seeds < 2 ? [] : [{ row, x: String(x), interval }];
  });
  if (shown.length < 2) return undefined;
  const x = shown.map((point) => point.x);
  const seeds = shown.flatMap((point) =>
    point.row.runs.flatMap(({ evaluation }) => {
      const score = evaluation?.[metric];
      return score === undefined ? [] : [{ x: point.x, y: 100 * score.accuracy }];
    }),
  );
  const papers = shown.flatMap((point) =>
    typeof point.row.published?.value === "number" ? [{ x: point.x, y: point.row.published.value }] : [],
  );
  const edge = (of: "low" | "high") => shown.map(({ interval }) => 100 * interval[of]);
  const band = { line: { width: 0 }, hoverinfo: "skip", showlegend: false, mode: "lines" };
  return {
    data: [
      { ...band, name: "lower end", x, y: edge("low") },
      {
        ...band,
        name: "95 % interval",
        x,
        y: edge("high"),
        fill: "tonexty",
        fillcolor: "rgba(0, 114, 178, 0.2)",
        showlegend: true,
      },
      {
        name: `${metricTitles[metric]}, mean`,
        x,
        y: shown.map(({ interval }) => 100 * interval.mean),
        mode: "lines",
        line: { color: "#0072B2" },
      },
      {
        name: "a seed",
        x: seeds.map((point) => point.x),
        y: seeds.map(({ y }) => y),
        mode: "markers",
        marker: { color: "#0072B2" },
      },
      {
        name: "published (ImageNet linear)",
        x: papers.map((point) => point.x),
        y: papers.map(({ y }) => y),
        mode: "lines+markers",
        line: { color: "#D55E00", dash: "dot" },
      },
    ],
    layout: {
      title: { text: `${ablation.title}: ${metricTitles[metric]}, seed by seed` },
      xaxis: { title: { text: ablation.axis.name }, type: "category" },
      yaxis: { title: { text: "accuracy on test (%)" } },
    },
  };
}

function curveOf<X extends number | string>(
  points: readonly { readonly x: X; readonly interval: Interval }[],
): Pick<Trace, "x" | "y" | "error_y"> {
  return {
    x: points.map(({ x }) => x),
    y: points.map(({ interval }) => 100 * interval.mean),
    error_y: {
      array: points.map(({ interval }) => 100 * (interval.high - interval.mean)),
      arrayminus: points.map(({ interval }) => 100 * (interval.mean - interval.low)),
    },
  };
}

/** How the paper's numbers are drawn: open marks and broken lines. */
const ofThePaper = { marker: { symbol: "circle-open", size: 9 }, line: { dash: "dot" } } as const;

function publishedTrace(name: string, points: ReadonlyMap<number, number>, color?: string): Trace {
  const { marker, line } = ofThePaper;
  return {
    name,
    x: [...points.keys()],
    y: [...points.values()],
    mode: "lines+markers",
    marker: { ...marker, ...(color && { color }) },
    line: { ...line, ...(color && { color }) },
    xaxis: "x2",
    yaxis: "y2",
  };
}

function publishedAxis({ axis, publishedCurves = [] }: Ablation): object {
  const values = [...new Set(publishedCurves.flatMap(({ points }) => [...points.keys()]))];
  const title = { text: `published: ${axis.name === "mechanism" ? "negatives" : axis.name}` };
  return {
    title,
    type: "log",
    tickmode: "array",
    tickvals: values,
    ticktext: values.map((one) => one.toLocaleString("en")),
  };
}

const publishedAccuracy = { title: { text: "published: ImageNet, linear (%)" } };

/** Of Plotly, so that a curve of the paper has the color of ours. */
const colors = [
  "#636efa",
  "#EF553B",
  "#00cc96",
  "#ab63fa",
  "#FFA15A",
  "#19d3f3",
  "#FF6692",
  "#9c755f",
  "#7f7f7f",
  "#1b7837",
];

function colorOf(index: number): string {
  return colors[index % colors.length]!;
}

/** Along training, of the first seed of each cell: the loss, and beside it the kNN accuracy on validation. */
export function trainingFigure({ ablation, rows }: AblationResult): Figure {
  const trained = rows.flatMap(({ label, runs: [run] }) => (run === undefined ? [] : [{ label, run }]));
  const curve = (index: number) => ({ mode: "lines", line: { color: colorOf(index) }, legendgroup: String(index) });
  return {
    data: [
      ...trained.map(({ label, run }, index) => ({
        name: label,
        x: run.curve.map(({ step }) => step),
        y: run.curve.map(({ loss }) => loss),
        ...curve(index),
      })),
      ...trained.map(({ label, run }, index) => ({
        name: label,
        x: run.monitor.map(({ step }) => step),
        y: run.monitor.map(({ knn }) => 100 * knn),
        ...curve(index),
        showlegend: false,
        xaxis: "x2" as const,
        yaxis: "y2" as const,
      })),
    ],
    layout: {
      title: { text: `${ablation.title}: along training` },
      xaxis: { title: { text: "step" }, domain: [0, 0.44] },
      yaxis: { title: { text: "loss" } },
      xaxis2: { title: { text: "step" }, domain: [0.58, 1] },
      yaxis2: { title: { text: "kNN on validation (%)" } },
    },
  };
}
