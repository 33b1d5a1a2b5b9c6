import { percentValue } from "../../display/percent";
import { signedInterval } from "../../display/signed";
import { measureTitles, type DetectionMeasure } from "../../detection/metric/detection-metrics";
import { defaultDetectionsPerImage } from "../../detection/model/detections";
import type { DetectorRun } from "../../runs/run-detector";
import type { Figure, Trace } from "../../display/chart";
import { publishedSign, type TransferResult, type TransferResultRow } from "./transfer-result";
import { withInterval } from "../ablation/ablation-rows";
import { type TextRow } from "../../display/table";

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

/** How rows differ, and what that says of the paper's sign. */
export function differenceRows({ measures, differences }: TransferResult): TextRow[] {
  return differences.flatMap((difference) =>
    measures.map((measure) => {
      const published = publishedSign(difference, measure);
      return {
        difference: `${difference.row} − ${difference.reference}`,
        measure: measureTitles[measure],
        "in points": signedInterval(difference.measures[measure]!.mean, difference.measures[measure]!, { scale: 100 }),
        "in the paper": `${published === undefined ? "–" : published > 0 ? "higher" : "lower"} (${difference.source})`,
        agreement: difference.measures[measure]!.verdict,
      };
    }),
  );
}

/** AP of each category, mean over seeds; where masks are predicted, of boxes and of masks. */
export function categoryRows({ rows }: TransferResult): TextRow[] {
  return rows.flatMap(({ label, runs }) => {
    const [first] = runs;
    if (first === undefined) return [];
    const row = (title: string, ap: (metrics: DetectorRun["metrics"], category: number) => number | null): TextRow => ({
      initialization: title,
      ...Object.fromEntries(
        first.metrics.categories.map(({ name }, category) => [
          name,
          percentValue(meanKnown(runs.map((run) => ap(run.metrics, category)))),
        ]),
      ),
    });
    const boxes = row(label, ({ categories }, category) => categories[category]!.ap);
    if (first.metrics.masks === undefined) return [boxes];
    return [boxes, row(`${label}, masks`, ({ masks }, category) => masks!.categoryAp[category]!)];
  });
}

/** What the numbers mean. */
export function transferNotes({ transfer, rows }: TransferResult): string[] {
  const [run] = rows.flatMap((row) => row.runs);
  if (run === undefined) return ["Nothing has been run yet."];
  const { recipe, data } = run.manifest;
  const { arch, backbone, masks } = recipe.detector;
  const seeds = Math.max(...rows.map((row) => row.runs.length));
  const minutes = rows.flatMap((row) => row.runs.map(({ manifest }) => manifest.trainingSeconds / 60));
  const average = minutes.reduce((sum, one) => sum + one, 0) / minutes.length;
  return [
    `Data: ${transfer.data}; ${data.train.images} training and ${data.test.images} test images.`,
    `${masks ? "Mask" : "Faster"} R-CNN ${arch.toUpperCase()} on ${backbone.architecture} of width ${backbone.width}, shorter side ${recipe.images.testShortest} px, batch ` +
      `${recipe.batchSize}, ${recipe.stopping === undefined ? "" : "at most "}${recipe.schedule.iterations} iterations, the same for ` +
      `every initialization; training took ${average.toFixed(1)} minutes a run.`,
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
  return ` with up to ${detectionsPerImage} detections an image (maxDets)`;
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

function meanKnown(values: readonly (number | null)[]): number | undefined {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}
