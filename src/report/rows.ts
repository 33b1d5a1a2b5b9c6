import type { Interval } from "../evaluate/intervals";
import type { Published } from "../tables/ablation";
import { metricNames, type AblationResult, type BaselineRow, type MetricName, type ResultRow } from "../tables/result";

/** A table as text: the same columns in every row. */
export type TextRow = Readonly<Record<string, string>>;

/** Names of the measures, as columns are headed. */
export const metricTitles: Readonly<Record<MetricName, string>> = {
  linear: "linear probe",
  logistic: "logistic regression",
  knn: "kNN",
  retrieval: "retrieval",
};

/** Accuracies of every row beside claim and publication; the random network and pixels stand in the same columns. */
export function accuracyRows({ ablation, rows, publishedOnly, baselines }: AblationResult): TextRow[] {
  const head = ablation.axis.name;
  const published = (row: Pick<ResultRow, "published" | "publishedAt">) =>
    row.published === undefined
      ? "–"
      : `${asPrinted(row.published)}${row.publishedAt === undefined ? "" : ` (${row.publishedAt})`}`;
  const baseline = ({ label, metrics }: BaselineRow): TextRow => ({
    [head]: label,
    claimed: "–",
    published: "–",
    ...accuracies(metrics),
    "loss, last fifth": "–",
    state: "baseline",
  });
  return [
    ...rows.map((row) => ({
      [head]: row.label,
      claimed: row.claimed ?? "–",
      published: published(row),
      ...accuracies(row.metrics),
      "loss, last fifth": row.finalLoss === undefined ? "–" : row.finalLoss.toFixed(2),
      state: row.failure ?? "trained",
    })),
    baseline(baselines.randomNetwork),
    baseline(baselines.pixels),
    ...publishedOnly.map((row) => ({
      [head]: row.label,
      claimed: row.claimed ?? "–",
      published: asPrinted(row.published),
      ...accuracies({}),
      "loss, last fifth": "–",
      state: "as published",
    })),
  ];
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
            "difference in points": `${signed(compared.difference)} [${signed(compared.low)}, ${signed(compared.high)}]`,
            interval: compared.kind,
            agreement: compared.verdict,
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
            "own picture among the keys": percent(queueOverlap.own),
            "its twin": queueOverlap.twin === undefined ? "–" : percent(queueOverlap.twin),
            "its class": percent(queueOverlap.sameClass),
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
  const evaluation = runs.find((one) => one.evaluation !== undefined)?.evaluation; // none where training diverged
  const seeds = Math.max(...rows.map((row) => row.seeds));
  const sampling = rows.flatMap(({ metrics }) => Object.values(metrics))[0]?.kind ?? "test sampling";
  const overDraws = Object.values(baselines.randomNetwork.metrics)[0]?.kind === "seeds";
  return [
    `Reproduced on ${data.name} (${data.trainPictures} training pictures), ${recipe.encoder.architecture} of width ` +
      `${recipe.encoder.width} at ${recipe.imageSize} px, ${recipe.epochs} epochs, ${seeds} seed${seeds === 1 ? "" : "s"}; ` +
      `accuracies in percent on test, 95 % intervals of ${sampling}${overDraws ? ", of the random network over its draws" : ""}.`,
    `Published: ImageNet linear top-1, ResNet-50, ${ablation.paper}. Differences are to ${ablation.referenceLabel}.`,
    evaluation === undefined
      ? ""
      : `kNN: k = ${evaluation.knn.k}, T = ${evaluation.knn.temperature}, on pooled features. Linear probe: the paper's SGD ` +
        `schedule on cached features, rate chosen on validation. Logistic regression: to convergence, L2 chosen on validation. ` +
        `Retrieval: the same emoji drawn by the other hand, Noto to Twemoji.`,
    ...ablation.publishedOnly.map(({ label, reason }) => `${label} stands as published: ${reason}.`),
  ].filter((note) => note !== "");
}

function accuracies(metrics: Readonly<Partial<Record<MetricName, Interval>>>): TextRow {
  return Object.fromEntries(
    metricNames.map((metric) => {
      const interval = metrics[metric];
      return [metricTitles[metric], interval === undefined ? "–" : withInterval(interval)];
    }),
  );
}

/** The paper prints one decimal, also of 59.0. */
function asPrinted({ value }: Published): string {
  return value === "fail" ? value : value.toFixed(1);
}

function withInterval({ mean, low, high }: Interval): string {
  return `${points(mean)} [${points(low)}, ${points(high)}]`;
}

function points(share: number): string {
  return (100 * share).toFixed(1);
}

function signed(share: number): string {
  return `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
