import { signed, signedInterval } from "../../display/signed";
import { measureTitles, type DetectionMeasure } from "../../detection/metric/detection-metrics";
import { defaultDetectionsPerImage } from "../../detection/model/detections";
import type { DetectorRun } from "../../runs/run-detector";
import type { Figure, Trace } from "../../display/chart";
import {
  notPublished,
  publishedDirection,
  type CategoryAp,
  type TransferResult,
  type TransferResultRow,
} from "./transfer-result";
import { meanOf } from "../../statistics/mean";
import { withInterval } from "../ablation/ablation-rows";
import type { Row, TextRow } from "../../display/table";

/** The metrics of every row on the test part, with intervals over seeds and images. */
export function transferRows({ measures, rows }: TransferResult): TextRow[] {
  return rows.map(({ label, metrics, runs }) => ({
    initialization: label,
    ...Object.fromEntries(
      measures.map((measure) => [
        measureTitles[measure],
        metrics === undefined ? "–" : withInterval(metrics[measure]!),
      ]),
    ),
    seeds: String(runs.length),
    state: runs.length === 0 ? "not run" : [...new Set(runs.map(endOf))].join(", "),
  }));
}

/** The same as numbers, to compute with: a line per row and measure, in percent. */
export function transferNumbers({ measures, rows }: TransferResult): Row[] {
  const inPercent = (share: number) => Number((100 * share).toFixed(1));
  return rows.flatMap(({ label, metrics, runs }) =>
    metrics === undefined
      ? []
      : measures.map((measure) => {
          const { mean, low, high } = metrics[measure]!;
          return {
            initialization: label,
            measure: measureTitles[measure],
            value: inPercent(mean),
            low: inPercent(low),
            high: inPercent(high),
            seeds: runs.length,
          };
        }),
  );
}

/**
 * How rows differ, and what sign and interval say of the paper's: a description, by intervals that are not adjusted for how
 * many rows there are. Verdicts are those of the claims.
 */
export function differenceRows({ measures, differences }: TransferResult): TextRow[] {
  return differences.flatMap((difference) =>
    measures.map((measure) => {
      const direction = publishedDirection(difference, measure);
      return {
        difference: `${difference.row} − ${difference.reference}`,
        measure: measureTitles[measure],
        "in points": signedInterval(difference.measures[measure]!.mean, difference.measures[measure]!, { scale: 100 }),
        "in the paper": direction === notPublished ? notPublished : `${direction} (${difference.source})`,
        "sign and interval": direction === notPublished ? "–" : difference.measures[measure]!.verdict,
      };
    }),
  );
}

/** AP of each category with its interval over seeds and images; where masks are predicted, of boxes and of masks. */
export function categoryRows({ rows }: TransferResult): TextRow[] {
  return rows.flatMap(({ label, runs, categories }) => {
    const row = (title: string, of: (category: CategoryAp) => CategoryAp["ap"]): TextRow => ({
      initialization: title,
      ...Object.fromEntries(
        categories.map((category) => {
          const interval = of(category);
          return [category.name, interval === undefined ? "–" : withInterval(interval)];
        }),
      ),
    });
    if (runs.length === 0) return [];
    const boxes = row(label, ({ ap }) => ap);
    if (runs[0]!.metrics.masks === undefined) return [boxes];
    return [boxes, row(`${label}, masks`, ({ maskAp }) => maskAp)];
  });
}

/**
 * Where a pre-trained row is, by AP, on the other side of random weights than in the paper: a sentence each, none where all
 * stand as they do there.
 */
export function reversalNotes({ differences }: TransferResult): string[] {
  return differences.flatMap(({ row, reference, published, source, measures: { ap } }) => {
    if (reference !== "random" || published.ap === undefined || ap.mean * published.ap >= 0) return [];
    const [here, there] = ap.mean < 0 ? ["below", "above"] : ["above", "below"];
    const noise = ap.low <= 0 && ap.high >= 0 ? ", which holds 0" : "";
    return [
      `In the paper ${row} is ${there} random weights (AP ${signed(published.ap)}, ${source}); here its mean over ${seedsOf(ap.seeds)} is ` +
        `${here} them: ${signedInterval(ap.mean, ap, { scale: 100 })} points by the bootstrap of seeds and images${noise}.`,
    ];
  });
}

/** Which rows of a transfer have runs. */
export function coverageNote({ transfer, rows }: TransferResult): string {
  const missing = rows.filter(({ runs }) => runs.length === 0).map(({ label }) => label);
  const command = `moco transfer --preset ${transfer.name} --rows all`;
  if (missing.length === rows.length) return `No row of \`${command}\` has runs.`;
  return `The runs have the rows of \`${command}\`${missing.length === 0 ? ", all of them" : ` but ${missing.join(" and ")}`}.`;
}

function seedsOf(count: number): string {
  return count === 1 ? "one seed" : `${count} seeds`;
}

/** What the numbers mean. */
export function transferNotes({ transfer, rows }: TransferResult): string[] {
  const [run] = rows.flatMap((row) => row.runs);
  if (run === undefined) return ["Nothing has been run yet."];
  const { recipe, data } = run.manifest;
  const { arch, backbone, masks } = recipe.detector;
  const seeds = Math.max(...rows.map((row) => row.runs.length));
  const minutes = rows.flatMap((row) => row.runs.map(({ manifest }) => manifest.trainingSeconds / 60));
  return [
    `Data: ${transfer.data}; ${data.train.images} training and ${data.test.images} test images.`,
    `${masks ? "Mask" : "Faster"} R-CNN ${arch.toUpperCase()} on ${backbone.architecture} of width ${backbone.width}, shorter side ${recipe.images.testShortest} px, batch ` +
      `${recipe.batchSize}, ${recipe.stopping === undefined ? "" : "at most "}${recipe.schedule.iterations} iterations, the same for ` +
      `every initialization; training took ${meanOf(minutes).toFixed(1)} minutes per run.`,
    `Metrics in percent by the rules of ${recipe.metric}${detectionLimit(recipe)}${masks && recipe.metric !== "coco" ? ", of masks by COCO's" : ""}; "any category" asks only where an object is, by COCO's rules. ` +
      "95 % intervals of a two-level bootstrap: seeds, then test images; differences paired by both.",
    seeds < 2
      ? "With one seed an interval holds the choice of test images alone."
      : `${seeds} seeds are few: an interval's part that comes from seeds is too narrow${seeds === 3 ? " by about a fifth" : ""}.`,
  ];
}

/** How many detections of an image count, where it is not what COCO's rules say. */
export function detectionLimit({ detector: { detectionsPerImage } }: DetectorRun["manifest"]["recipe"]): string {
  if (detectionsPerImage === undefined || detectionsPerImage === defaultDetectionsPerImage) return "";
  return ` with up to ${detectionsPerImage} detections per image (maxDets)`;
}

/** AP75 and the rest would fill the chart. */
const drawnMeasures: readonly DetectionMeasure[] = ["ap50", "ap", "maskAp50", "maskAp", "objectAp50"];

/** Metrics of every row with intervals. */
export function transferFigure({ transfer, measures, rows }: TransferResult): Figure {
  const shown = rows.filter((row) => row.metrics !== undefined);
  const trace = (measure: DetectionMeasure): Trace => {
    const intervals = shown.map(({ metrics }) => metrics![measure]!);
    return {
      name: measureTitles[measure],
      x: shown.map(({ label }) => label),
      y: intervals.map(({ mean }) => 100 * mean),
      error_y: {
        array: intervals.map(({ mean, high }) => 100 * (high - mean)),
        arrayminus: intervals.map(({ mean, low }) => 100 * (mean - low)),
      },
      mode: "markers",
    };
  };
  return {
    data: drawnMeasures.filter((measure) => measures.includes(measure)).map(trace),
    layout: {
      title: { text: transfer.title },
      xaxis: { title: { text: "initialization" } },
      yaxis: { title: { text: "AP (%)" } },
    },
  };
}

/** AP50 on the validation part along training, first seed. */
export function validationFigure({ transfer, rows }: TransferResult): Figure {
  return {
    data: rows.flatMap(({ label, runs: [run] }): Trace[] =>
      run === undefined ? [] : [{ name: label, ...pointsOf(run), mode: "lines+markers" }],
    ),
    layout: {
      title: { text: `${transfer.title}: AP50 on validation along training` },
      xaxis: { title: { text: "iteration" } },
      yaxis: { title: { text: "AP50 (%)" } },
    },
  };
}

function pointsOf({ validations }: DetectorRun) {
  const known = validations.flatMap(({ step, ap50 }) => (ap50 === null ? [] : [{ step, ap50 }]));
  return { x: known.map(({ step }) => step), y: known.map(({ ap50 }) => 100 * ap50) };
}

/** How a run ended: where it may end before its last iteration, at which. */
function endOf({ manifest: { recipe, steps } }: TransferResultRow["runs"][number]): string {
  if (recipe.stopping === undefined) return "trained";
  return steps < recipe.schedule.iterations ? `ended at ${steps}` : `${steps}, still rising`;
}
