import { detectionMeasures, measureTitles, type DetectionMeasure } from "../detection/detection-measures";
import { defaultDetectionsPerImage } from "../detection/detections";
import type { DetectorRun } from "../detection/run-detector";
import type { TwoLevelInterval } from "../evaluate/two-level-bootstrap";
import type { Figure, Trace } from "../notebook/chart";
import type { TransferResult, TransferResultRow } from "../tables/transfer-result";
import { withInterval, type TextRow } from "./rows";

/** The figures of every row on the test part, with intervals over seeds and pictures. */
export function transferRows({ rows }: TransferResult): TextRow[] {
  return rows.map(({ label, figures, runs }) => ({
    initialisation: label,
    ...Object.fromEntries(
      detectionMeasures.map((measure) => [
        measureTitles[measure],
        figures === undefined ? "–" : withInterval(figures[measure]),
      ]),
    ),
    seeds: String(runs.length),
    state: runs.length === 0 ? "not run" : runs.map(endOf).join(", "),
  }));
}

/** How rows differ, and what that says of the paper's sign. */
export function differenceRows({ differences }: TransferResult): TextRow[] {
  return differences.flatMap(({ row, reference, published, source, measures }) =>
    detectionMeasures.map((measure) => ({
      difference: `${row} − ${reference}`,
      measure: measureTitles[measure],
      "in points": signedInterval(measures[measure]),
      "in the paper": `${published === undefined ? "–" : published > 0 ? "higher" : "lower"} (${source})`,
      agreement: measures[measure].verdict,
    })),
  );
}

/** AP of each category, mean over seeds. */
export function categoryRows({ rows }: TransferResult): TextRow[] {
  return rows
    .filter(({ runs }) => runs.length > 0)
    .map(({ label, runs }) => ({
      initialisation: label,
      ...Object.fromEntries(
        runs[0]!.figures.categories.map(({ name }, category) => [
          name,
          percentOf(meanKnown(runs.map((run) => run.figures.categories[category]!.ap))),
        ]),
      ),
    }));
}

/** What the numbers mean. */
export function transferNotes({ transfer, rows }: TransferResult): string[] {
  const [run] = rows.flatMap((row) => row.runs);
  if (run === undefined) return ["Nothing has been run yet."];
  const { recipe, data } = run.manifest;
  const { architecture, width } = recipe.detector.backbone;
  const seeds = Math.max(...rows.map((row) => row.runs.length));
  const minutes = rows.flatMap((row) => row.runs.map(({ manifest }) => manifest.trainingSeconds / 60));
  const average = minutes.reduce((sum, one) => sum + one, 0) / minutes.length;
  return [
    `Data: ${transfer.data}; ${data.train.pictures} training and ${data.test.pictures} test pictures.`,
    `Faster R-CNN C4 on ${architecture} of width ${width}, shorter side ${recipe.pictures.testShortest} px, batch ` +
      `${recipe.batchSize}, ${recipe.stopping === undefined ? "" : "at most "}${recipe.schedule.iterations} iterations, the same for ` +
      `every initialisation; training took ${average.toFixed(1)} minutes a run.`,
    `Figures in percent by the rules of ${recipe.metric}${limitOf(recipe)}; "any category" asks only where an object is, by COCO's rules. ` +
      "95 % intervals of a two-level bootstrap: seeds, then test pictures; differences paired by both.",
    seeds < 2
      ? "With one seed an interval holds the choice of test pictures alone."
      : `${seeds} seeds are few: an interval's part that comes from seeds is too narrow${seeds === 3 ? " by about a fifth" : ""}.`,
  ];
}

/** How many detections of a picture count, where it is not what COCO's rules say. */
function limitOf({ detector: { detectionsPerImage } }: DetectorRun["manifest"]["recipe"]): string {
  if (detectionsPerImage === undefined || detectionsPerImage === defaultDetectionsPerImage) return "";
  return ` with up to ${detectionsPerImage} detections a picture (maxDets)`;
}

/** Figures of every row with intervals. */
export function transferFigure({ transfer, rows }: TransferResult): Figure {
  const shown = rows.filter((row) => row.figures !== undefined);
  const trace = (measure: DetectionMeasure): Trace => {
    const intervals = shown.map(({ figures }) => figures![measure]);
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
    data: (["ap50", "ap", "objectAp50"] as const).map(trace),
    layout: {
      title: { text: transfer.title },
      xaxis: { title: { text: "initialisation" } },
      yaxis: { title: { text: "AP (%)" } },
    },
  };
}

/** AP50 on the validation part along training, first seed. */
export function readingsFigure({ transfer, rows }: TransferResult): Figure {
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

function pointsOf({ readings }: DetectorRun) {
  const known = readings.flatMap(({ step, ap50 }) => (ap50 === null ? [] : [{ step, ap50 }]));
  return { x: known.map(({ step }) => step), y: known.map(({ ap50 }) => 100 * ap50) };
}

/** How a run ended: where it may end before its last iteration, at which. */
function endOf({ manifest: { recipe, steps } }: TransferResultRow["runs"][number]): string {
  if (recipe.stopping === undefined) return "trained";
  return steps < recipe.schedule.iterations ? `ended at ${steps}` : `${steps}, still rising`;
}

function signedInterval({ mean, low, high }: TwoLevelInterval): string {
  const points = (share: number) => `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)}`;
  return `${points(mean)} [${points(low)}, ${points(high)}]`;
}

function meanKnown(values: readonly (number | null)[]): number | undefined {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function percentOf(share: number | undefined): string {
  return share === undefined ? "–" : (100 * share).toFixed(1);
}
