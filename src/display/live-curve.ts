import { clock } from "./clock";
import { notebookKernel } from "./kernel";
import { showOutput, type Bundle, type Output } from "./output";
import { besideEachOther, svgChart, type DrawnChart, type Series } from "./svg-chart";

/** One point of a training: the step it was measured at, and what was measured, by curve. */
export interface CurvePoint {
  readonly step: number;
  /** For example `{ loss: 5.1 }` or `{ loss: 5.0, kNN: 31.2 }`; a curve without a new value is left out. */
  readonly values: Readonly<Record<string, number>>;
  /** How far the training is, shown instead of the step's number. */
  readonly status?: string;
}

/** Curves that grow while a training runs. */
export interface LiveCurve {
  /** Takes a point, and draws the curves anew unless they were drawn a moment ago. */
  add(point: CurvePoint): void;
  /** Draws what was not drawn yet. Call it at the end. */
  finish(): void;
}

/** More often than that is more than an eye follows, and a notebook's server drops outputs that come in bursts. */
const REDRAW_MILLISECONDS = 500;
/** Lines in a terminal are kept, not replaced: fewer of them. */
const PRINT_MILLISECONDS = 5000;
/** Each curve stays within this many points on screen, so that a notebook stays small. */
const MOST_POINTS = 300;
const LONG_STEP_SECONDS = 2;
/** In pixels, of one curve: two beside each other are read well in a cell of JupyterLab. */
const chartWidth = 400;

/** Where live curves are drawn: one output below the cell, replaced each time. */
interface Place {
  readonly show: (bundle: Bundle) => void;
}

function outputPlace(): Place {
  let output: Output | undefined;
  return {
    show: (bundle) => {
      if (output === undefined) output = showOutput(bundle, { progress: true });
      else output.replace(bundle);
    },
  };
}

/**
 * Shows curves of a training below the cell, redrawn in place at most twice a second, side by side, each in a chart of its
 * own because their units differ. In a terminal, prints a line every five seconds.
 */
export function liveCurve(title: string, place: Place = outputPlace()): LiveCurve {
  const curves = new Map<string, { x: number[]; y: number[] }>();
  const interval = notebookKernel() === undefined ? PRINT_MILLISECONDS : REDRAW_MILLISECONDS;
  let drawnAt = -Infinity;
  let pending = false;
  let latest = title;
  let heading = title;

  function draw(last: boolean): void {
    const drawn = [...curves].map(([name, points]) => ({ name, ...thinned(points) }));
    place.show({
      // Not before the end: JupyterLab's extension for Plotly does not redraw a figure that changes.
      ...(last && notebookKernel() !== undefined && { "application/vnd.plotly.v1+json": sideBySide(heading, drawn) }),
      "image/svg+xml": besideEachOther(drawn.map((series) => chartOf(heading, series))).svg,
      "text/plain": latest,
    });
    drawnAt = Date.now();
    pending = false;
  }

  return {
    add({ step, values, status = `step ${step}` }) {
      for (const [name, value] of Object.entries(values)) {
        const curve = curves.get(name) ?? { x: [], y: [] };
        curve.x.push(step);
        curve.y.push(value);
        curves.set(name, curve);
      }
      heading = `${title}: ${status}`;
      latest = `${title}  ${status}  ${[...curves].map(([name, { y }]) => `${name} ${y[y.length - 1]!.toPrecision(4)}`).join("  ")}`;
      pending = true;
      if (Date.now() - drawnAt >= interval) {
        draw(false);
      }
    },
    finish() {
      if (pending || (curves.size > 0 && notebookKernel() !== undefined)) {
        draw(true);
      }
    },
  };
}

/** What a training tells after each step. */
interface Steps {
  readonly step: number;
  readonly totalSteps: number;
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
}

/**
 * Draws the curves of trainings while they run, in one place: those of the next training take the place of the last one's.
 *
 * @param valuesOf - what to draw of a step
 * @param readingsOf - readings of the validation part so far, each drawn once
 * @returns to be called after each step with a title; a new title starts new curves
 */
export function liveCurves<T extends Steps>(
  valuesOf: (progress: T) => CurvePoint["values"],
  readingsOf: (progress: T) => readonly CurvePoint["values"][],
): (title: string, progress: T) => void {
  const place = outputPlace();
  let current: { readonly title: string; readonly curve: LiveCurve; read: number } | undefined;
  return (title, progress) => {
    if (current?.title !== title) current = { title, curve: liveCurve(title, place), read: 0 };
    const readings = readingsOf(progress);
    const reading = readings.length > current.read ? readings.at(-1) : undefined;
    current.read = readings.length;
    const values = { ...valuesOf(progress), ...reading };
    current.curve.add({ step: progress.step, values, status: statusOf(progress) });
    if (progress.step === progress.totalSteps) current.curve.finish();
  };
}

/** "step 40 of 200, 512 images/s, 1:20 left". Stopping waits for a step: where that is long, it is said. */
function statusOf({ step, totalSteps, imagesPerSecond, secondsLeft }: Steps): string {
  if (step >= totalSteps) return `${totalSteps} steps, ${Math.round(imagesPerSecond)} images/s`;
  const stepSeconds = secondsLeft / (totalSteps - step);
  return [
    `step ${step} of ${totalSteps}`,
    `${imagesPerSecond < 10 ? imagesPerSecond.toFixed(1) : Math.round(imagesPerSecond)} images/s`,
    `${clock(secondsLeft)} left`,
    ...(stepSeconds > LONG_STEP_SECONDS ? [`a step takes ${clock(stepSeconds)}, a stop waits for its end`] : []),
  ].join(", ");
}

function thinned({ x, y }: { readonly x: readonly number[]; readonly y: readonly number[] }): Pick<Series, "x" | "y"> {
  const stride = Math.ceil(x.length / MOST_POINTS);
  const kept = (_: number, index: number): boolean => (x.length - 1 - index) % stride === 0;
  return { x: x.filter(kept), y: y.filter(kept) };
}

function chartOf(title: string, series: Series): DrawnChart {
  return svgChart([series], { title, xTitle: "step", yTitle: series.name, width: chartWidth });
}

/** The curves as one figure of Plotly: each with its own axes, beside the others. */
function sideBySide(title: string, curves: readonly Series[]): object {
  const gap = 0.1;
  const share = (1 - gap * (curves.length - 1)) / curves.length;
  const axes = curves.map(({ name }, index) => {
    const [number, left] = [index === 0 ? "" : String(index + 1), index * (share + gap)];
    return {
      [`xaxis${number}`]: { title: { text: "step" }, domain: [left, left + share], anchor: `y${number}` },
      [`yaxis${number}`]: { title: { text: name }, anchor: `x${number}`, automargin: true },
    };
  });
  const data = curves.map(({ name, x, y }, index) => {
    const number = index === 0 ? "" : String(index + 1);
    const mode = x.length === 1 ? "markers" : "lines"; // a line through one point cannot be seen
    return { name, x, y, mode, xaxis: `x${number}`, yaxis: `y${number}`, showlegend: false };
  });
  const layout = {
    autosize: true,
    height: 320,
    margin: { l: 50, r: 10, t: 40, b: 50 },
    title: { text: title, font: { size: 15 } },
  };
  return { data, layout: Object.assign({}, layout, ...axes) as object };
}
