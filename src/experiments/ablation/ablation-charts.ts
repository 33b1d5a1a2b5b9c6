import type { Figure, Trace } from "../../display/chart";
import { metricNames, type AblationResult, type MetricName } from "./ablation-result";
import { metricTitles } from "./ablation-rows";

/**
 * Accuracy by every measure over K or m, with intervals; the published curve beside, on ImageNet's own scale. Points without
 * lines where the rows lie along no axis.
 */
export function ablationFigure({ ablation, rows, baselines }: AblationResult): Figure {
  const ordered = ablation.axis.values.length > 0;
  const x = ordered ? ablation.axis.values.map(String) : rows.map(({ label }) => label);
  const traces = metricNames.flatMap((metric): Trace[] => {
    const cells = rows.map((row) => row.metrics[metric]);
    if (cells.every((cell) => cell === undefined)) return [];
    const shown = cells.flatMap((cell, index) => (cell === undefined ? [] : [{ cell, x: x[index]! }]));
    return [
      {
        name: metricTitles[metric],
        x: shown.map((point) => point.x),
        y: shown.map(({ cell }) => 100 * cell.mean),
        error_y: {
          array: shown.map(({ cell }) => 100 * (cell.high - cell.mean)),
          arrayminus: shown.map(({ cell }) => 100 * (cell.mean - cell.low)),
        },
        mode: ordered ? "lines+markers" : "markers",
      },
    ];
  });
  const published = rows.flatMap(({ published: paper }, index) =>
    typeof paper?.value === "number" ? [{ x: x[index]!, y: paper.value }] : [],
  );
  const random = baselines.randomNetwork.metrics.retrieval;
  return {
    data: [
      ...traces,
      ...(random === undefined
        ? []
        : [{ name: "retrieval, random network", x, y: x.map(() => 100 * random.mean), mode: "lines" }]),
      {
        name: "published (ImageNet linear)",
        x: published.map((point) => point.x),
        y: published.map((point) => point.y),
        mode: "markers",
      },
    ],
    layout: {
      title: { text: ablation.title },
      xaxis: { title: { text: ablation.axis.name }, type: "category" },
      yaxis: { title: { text: "accuracy on test (%)" } },
    },
  };
}

/** One measure over K, a curve for each series of the cells; the paper's curves beside, on ImageNet's own scale. */
export function seriesFigure({ ablation, rows, baselines }: AblationResult, metric: MetricName): Figure {
  const points = ablation.cells.map((cell, index) => ({
    series: cell.series ?? "",
    x: ablation.axis.values[index]!,
    cell: rows[index]!.metrics[metric],
    published: rows[index]!.published?.value,
  }));
  const names = [...new Set(points.map(({ series }) => series))];
  const ours = names.map((name): Trace => {
    const shown = points.flatMap(({ series, x, cell }) => (series === name && cell ? [{ x, cell }] : []));
    return {
      name,
      x: shown.map(({ x }) => x),
      y: shown.map(({ cell }) => 100 * cell.mean),
      error_y: {
        array: shown.map(({ cell }) => 100 * (cell.high - cell.mean)),
        arrayminus: shown.map(({ cell }) => 100 * (cell.mean - cell.low)),
      },
      mode: "lines+markers",
    };
  });
  const papers = names.flatMap((name): Trace[] => {
    const shown = points.flatMap(({ series, x, published }) =>
      series === name && typeof published === "number" ? [{ x, published }] : [],
    );
    if (shown.length === 0) return [];
    const [x, y] = [shown.map((point) => point.x), shown.map((point) => point.published)];
    return [{ name: `${name}, published at as many batches (ImageNet linear)`, x, y, mode: "markers" }];
  });
  const random = baselines.randomNetwork.metrics[metric];
  const ends = [Math.min(...ablation.axis.values), Math.max(...ablation.axis.values)];
  return {
    data: [
      ...ours,
      ...(random
        ? [{ name: "random network", x: ends, y: ends.map(() => 100 * random.mean), mode: "lines" as const }]
        : []),
      ...papers,
    ],
    layout: {
      title: { text: `${ablation.title}: ${metricTitles[metric]}` },
      xaxis: { title: { text: "negatives of a query" }, type: "log" },
      yaxis: { title: { text: "accuracy on test (%)" } },
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

/** Loss of each cell along training, first seed. */
export function lossFigure({ ablation, rows }: AblationResult): Figure {
  return {
    data: rows.flatMap(({ label, runs: [run] }) =>
      run === undefined
        ? []
        : [{ name: label, x: run.curve.map(({ step }) => step), y: run.curve.map(({ loss }) => loss), mode: "lines" }],
    ),
    layout: {
      title: { text: `${ablation.title}: InfoNCE along training` },
      xaxis: { title: { text: "step" } },
      yaxis: { title: { text: "loss" } },
    },
  };
}

/** kNN accuracy on validation of each cell along training, first seed. */
export function monitorFigure({ ablation, rows }: AblationResult): Figure {
  return {
    data: rows.flatMap(({ label, runs: [run] }) =>
      run === undefined
        ? []
        : [{ name: label, x: run.monitor.map(({ step }) => step), y: run.monitor.map(({ knn }) => 100 * knn) }],
    ),
    layout: {
      title: { text: `${ablation.title}: kNN on validation along training` },
      xaxis: { title: { text: "step" } },
      yaxis: { title: { text: "kNN accuracy (%)" } },
    },
  };
}
