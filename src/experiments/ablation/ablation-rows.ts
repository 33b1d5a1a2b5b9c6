import { percent, percentValue } from "../../display/percent";
import { signedInterval } from "../../display/signed";
import type { Row, TextRow } from "../../display/table";
import type { Interval } from "../../statistics/intervals";
import { parameterCount } from "../../nn/resnet-layout";
import type { Ablation } from "./ablation";
import type { Published } from "../../paper/published-ablations";
import { metricNames, type AblationResult, type BaselineRow, type MetricName, type ResultRow } from "./ablation-result";

/** Names of the measures, as columns are headed. */
export const metricTitles: Readonly<Record<MetricName, string>> = {
  linear: "linear probe",
  logistic: "logistic regression",
  knn: "kNN",
  retrieval: "retrieval",
};

/**
 * Accuracies of every row beside claim and publication; the random network and pixels stand in the same columns. Where the
 * paper prints the parameters of its encoders, each row has its own.
 */
export function accuracyRows({ ablation, rows, publishedOnly, baselines }: AblationResult): TextRow[] {
  const head = ablation.axis.name;
  const published = (row: Pick<ResultRow, "published" | "publishedAt">) =>
    row.published === undefined
      ? "–"
      : `${asPrinted(row.published)}${row.publishedAt === undefined ? "" : ` (${row.publishedAt})`}`;
  const parameters = (count: number | undefined): TextRow =>
    printsParameters(ablation) ? { parameters: count === undefined ? "–" : millions(count) } : {};
  const baseline = ({ label, metrics }: BaselineRow): TextRow => ({
    [head]: label,
    ...parameters(undefined),
    claimed: "–",
    published: "–",
    ...accuracies(metrics),
    "loss, last fifth": "–",
    state: "baseline",
  });
  return [
    ...rows.map((row, index) => ({
      [head]: row.label,
      ...parameters(parameterCount(ablation.cells[index]!.recipe.encoder)),
      claimed: row.claimed ?? "–",
      published: published(row),
      ...accuracies(row.metrics),
      "loss, last fifth": row.finalLoss === undefined ? "–" : row.finalLoss.toFixed(2),
      state: row.failure ?? (ablation.cells[index]!.recipe.method.kind === "random" ? "not trained" : "trained"),
    })),
    ...[...baselines.randomNetworks, baselines.pixels]
      .filter(({ metrics }) => Object.keys(metrics).length > 0)
      .map(baseline),
    ...publishedOnly.map((row) => ({
      [head]: row.label,
      ...parameters(row.parameters && 1e6 * row.parameters),
      claimed: row.claimed ?? "–",
      published: asPrinted(row.published),
      ...accuracies({}),
      "loss, last fifth": "–",
      state: "as published",
    })),
  ];
}

/** The same as numbers, to compute with: a line a row and measure, in percent, baselines too. */
export function accuracyNumbers({ ablation, rows, baselines }: AblationResult): Row[] {
  const measured = [
    ...rows.map(({ label, metrics, seeds }) => ({ label, metrics, seeds })),
    ...[...baselines.randomNetworks, baselines.pixels].map((baseline) => ({ ...baseline, seeds: undefined })),
  ];
  return measured.flatMap(({ label, metrics, seeds }) =>
    metricNames.flatMap((metric) => {
      const interval = metrics[metric];
      if (interval === undefined) return [];
      const [accuracy, low, high] = [interval.mean, interval.low, interval.high].map(inPercent);
      return [{ [ablation.axis.name]: label, measure: metricTitles[metric], accuracy, low, high, seeds: seeds ?? 0 }];
    }),
  );
}

/** How each row differs from the reference row, in the paper and by each measure, and what follows. */
export function agreementRows({ ablation, rows }: AblationResult): TextRow[] {
  return rows
    .filter(({ label }) => label !== ablation.referenceLabel)
    .flatMap((row) =>
      metricNames.flatMap((metric) => {
        const compared = row.agreement[metric];
        if (compared === undefined) return [];
        return [
          {
            [ablation.axis.name]: row.label,
            measure: metricTitles[metric],
            "difference in points": signedInterval(compared.difference, compared, { scale: 100 }),
            interval: compared.kind,
            "sign and interval": compared.verdict,
          },
        ];
      }),
    );
}

/** What the queue holds besides true negatives. */
export function queueRows({ ablation, rows }: AblationResult): TextRow[] {
  return rows.flatMap(({ label, queueShare, queueOverlap }) =>
    queueShare === undefined || queueOverlap === undefined
      ? []
      : [
          {
            [ablation.axis.name]: label,
            "K / N": queueShare.toFixed(3),
            "own image among the keys": percent(queueOverlap.own, 2),
            "its twin": percent(queueOverlap.twin, 2),
            "its class": percent(queueOverlap.sameClass, 2),
          },
        ],
  );
}

/** What the numbers mean: settings, intervals, source of the data. */
export function footnotes({ ablation, rows, baselines }: AblationResult): string[] {
  const runs = rows.flatMap((row) => row.runs);
  const [run] = runs;
  if (run === undefined) return ["Nothing has been run yet."];
  const { recipe, data } = run.manifest;
  const recipes = runs.map(({ manifest }) => manifest.recipe);
  const encoders = alternatives(recipes.map(({ encoder }) => `${encoder.architecture} of width ${encoder.width}`));
  const epochs = alternatives(recipes.map((one) => one.epochs).sort((a, b) => a - b));
  const evaluation = runs.find((one) => one.evaluation !== undefined)?.evaluation; // none where training diverged
  const seeds = Math.max(...rows.map((row) => row.seeds));
  const sampling = rows.flatMap(({ metrics }) => Object.values(metrics))[0]?.kind ?? "test sampling";
  const overDraws = Object.values(baselines.randomNetworks[0]?.metrics ?? {})[0]?.kind === "seeds";
  return [
    `Reproduced on ${data.name} (${data.trainImages} training images), ${encoders} at ${recipe.imageSize} px, ` +
      `${epochs} epoch${epochs === "1" ? "" : "s"}, ${seeds} seed${seeds === 1 ? "" : "s"}; ` +
      `accuracies in percent on test, 95 % intervals of ${sampling}${overDraws ? ", of the random network over its draws" : ""}.`,
    `Published: ImageNet linear top-1, ${printsParameters(ablation) ? "encoder as named, else ResNet-50" : "ResNet-50"}, ` +
      `${ablation.paper}. Differences are to ${ablation.referenceLabel}.`,
    new Set(recipes.map(({ method }) => method.kind)).size > 1
      ? "Each method has a loss of its own: compare it along a training, not between rows."
      : "",
    evaluation === undefined
      ? ""
      : `kNN: k = ${evaluation.knn.k}, T = ${evaluation.knn.temperature}, on pooled features. Linear probe: the paper's SGD ` +
        `schedule on cached features, rate chosen on validation. Logistic regression: to convergence, L2 chosen on validation. ` +
        `Retrieval: the same emoji drawn by the other artist, Noto to Twemoji.`,
    pixelsAhead(rows, baselines.pixels),
    referenceFailed(ablation, rows),
    ...new Set(ablation.publishedOnly.map(({ reason }) => publishedOnlyNote(ablation, reason))),
  ].filter((note) => note !== "");
}

/** By which measures no trained row is above the pixels themselves. */
function pixelsAhead(rows: AblationResult["rows"], pixels: BaselineRow): string {
  const ahead = metricNames.filter((metric) => {
    const best = Math.max(...rows.flatMap(({ metrics }) => metrics[metric]?.mean ?? []));
    return Number.isFinite(best) && (pixels.metrics[metric]?.mean ?? -Infinity) >= best;
  });
  return ahead.length === 0
    ? ""
    : `No row is above the pixels by ${listed(ahead.map((metric) => metricTitles[metric]))}.`;
}

/** Differences to a row that failed say little of the others. */
function referenceFailed({ referenceLabel }: Ablation, rows: AblationResult["rows"]): string {
  const failure = rows.find(({ label }) => label === referenceLabel)?.failure;
  return failure?.startsWith("failed")
    ? `The row that the others are compared with, ${referenceLabel}, ${failure}.`
    : "";
}

/** One note for all rows that were not run for the same reason. */
function publishedOnlyNote({ publishedOnly }: Ablation, reason: string): string {
  const labels = publishedOnly.filter((row) => row.reason === reason).map(({ label }) => label);
  return `${labels.join("; ")} ${labels.length === 1 ? "stands" : "stand"} as published: ${reason}.`;
}

function printsParameters({ publishedOnly }: Ablation): boolean {
  return publishedOnly.some(({ parameters }) => parameters !== undefined);
}

/** "1, 3 or 5", each value once. */
function alternatives(values: readonly (string | number)[]): string {
  return listed([...new Set(values.map(String))], "or");
}

/** "kNN, linear probe and retrieval". */
function listed(parts: readonly string[], word = "and"): string {
  return [parts.slice(0, -1).join(", "), parts.at(-1)!].filter((part) => part !== "").join(` ${word} `);
}

/** Two digits below ten million, which the paper's encoders all exceed. */
function millions(count: number): string {
  return `${(count / 1e6).toFixed(count < 1e7 ? 2 : 0)} M`;
}

function accuracies(metrics: Readonly<Partial<Record<MetricName, Interval>>>): TextRow {
  return Object.fromEntries(
    metricNames.map((metric) => {
      const interval = metrics[metric];
      return [metricTitles[metric], interval === undefined ? "–" : withInterval(interval)];
    }),
  );
}

/** A share in percent, with the digits that tables have. */
function inPercent(share: number): number {
  return Number((100 * share).toFixed(1));
}

/** The paper prints one decimal, also of 59.0. */
function asPrinted({ value }: Published): string {
  return value === "fail" ? value : value.toFixed(1);
}

/** "56.3 [51.0, 61.2]", in percent. */
export function withInterval({ mean, low, high }: Pick<Interval, "mean" | "low" | "high">): string {
  return `${percentValue(mean)} [${percentValue(low)}, ${percentValue(high)}]`;
}
