import { notebookKernel } from "./kernel";
import { showOutput, type Bundle, type Output } from "./output";
import { stackCharts, svgChart, type Series } from "./svg-chart";

/** One point of a training: the step it was measured at, and what was measured, by curve. */
export interface CurvePoint {
  readonly step: number;
  /** For example `{ loss: 5.1 }` or `{ loss: 5.0, kNN: 31.2 }`; a curve without a new value is left out. */
  readonly values: Readonly<Record<string, number>>;
}

/** Curves that grow while a training runs. */
export interface LiveCurve {
  /** Takes a point, and draws the curves anew unless they were drawn a moment ago. */
  add(point: CurvePoint): void;
  /** Draws what was not drawn yet. Call it at the end. */
  finish(): void;
}

/** The kernel drops outputs that come in bursts. */
const REDRAW_MILLISECONDS = 500;
/** Lines in a terminal are kept, not replaced: fewer of them. */
const PRINT_MILLISECONDS = 5000;
/** Each curve stays within this many points on screen, so that a notebook stays small. */
const MOST_POINTS = 300;

/**
 * Shows curves of a training below the cell, redrawn at most twice a second, each curve in a chart of its own because
 * their units differ. In a terminal, prints a line every five seconds.
 */
export function liveCurve(title: string): LiveCurve {
  const curves = new Map<string, { x: number[]; y: number[] }>();
  const interval = notebookKernel() === undefined ? PRINT_MILLISECONDS : REDRAW_MILLISECONDS;
  let output: Output | undefined;
  let drawnAt = -Infinity;
  let pending = false;
  let latest = title;

  function draw(): void {
    const bundle: Bundle = {
      "image/svg+xml": stackCharts([...curves].map(([name, points]) => chartOf(title, name, points))),
      "text/plain": latest,
    };
    if (output === undefined) {
      output = showOutput(bundle, { progress: true });
    } else {
      output.replace(bundle);
    }
    drawnAt = Date.now();
    pending = false;
  }

  return {
    add({ step, values }) {
      for (const [name, value] of Object.entries(values)) {
        const curve = curves.get(name) ?? { x: [], y: [] };
        curve.x.push(step);
        curve.y.push(value);
        curves.set(name, curve);
      }
      latest = `${title}  step ${step}  ${[...curves].map(([name, { y }]) => `${name} ${y[y.length - 1]!.toPrecision(4)}`).join("  ")}`;
      pending = true;
      if (Date.now() - drawnAt >= interval) {
        draw();
      }
    },
    finish() {
      if (pending) {
        draw();
      }
    },
  };
}

/** What a training tells after each step. */
interface Steps {
  readonly step: number;
  readonly totalSteps: number;
}

/**
 * Draws the curves of trainings while they run.
 *
 * @param valuesOf - what to draw of a step
 * @param readingsOf - readings of the validation part so far, each drawn once
 * @returns to be called after each step with a title; a new title starts new curves
 */
export function liveCurves<T extends Steps>(
  valuesOf: (progress: T) => CurvePoint["values"],
  readingsOf: (progress: T) => readonly CurvePoint["values"][],
): (title: string, progress: T) => void {
  let current: { readonly title: string; readonly curve: LiveCurve; read: number } | undefined;
  return (title, progress) => {
    if (current?.title !== title) current = { title, curve: liveCurve(title), read: 0 };
    const readings = readingsOf(progress);
    const reading = readings.length > current.read ? readings.at(-1) : undefined;
    current.read = readings.length;
    current.curve.add({ step: progress.step, values: { ...valuesOf(progress), ...reading } });
    if (progress.step === progress.totalSteps) current.curve.finish();
  };
}

function chartOf(title: string, name: string, { x, y }: { x: readonly number[]; y: readonly number[] }): string {
  const stride = Math.ceil(x.length / MOST_POINTS);
  const kept = (_: number, index: number): boolean => (x.length - 1 - index) % stride === 0;
  const series: Series = { name, x: x.filter(kept), y: y.filter(kept) };
  return svgChart([series], { title, xTitle: "step", yTitle: name });
}
