import { afterEach, expect, it } from "vitest";
import { showOutput } from "../../src/display/output";
import { svgChart } from "../../src/display/svg-chart";

const place = globalThis as { mocoKernel?: unknown };

afterEach(() => {
  delete place.mocoKernel;
});

it("shows an SVG as wide as its place in a notebook, and does not blow up a small one", () => {
  const shown: Record<string, unknown>[] = [];
  place.mocoKernel = {
    interrupts: 0,
    stopRequested: () => false,
    show: (bundle: Record<string, unknown>) => shown.push(bundle),
  };
  const series = [{ name: "loss", x: [1, 2], y: [2, 1] }];
  for (const width of [1000, 640]) {
    showOutput({ "text/plain": "loss", "image/svg+xml": svgChart(series, { width }).svg });
  }
  const roots = shown.map((bundle) => /^<svg [^>]*>/.exec(bundle["image/svg+xml"] as string)![0]);
  expect(roots.map((root) => /viewBox="([^"]*)"/.exec(root)![1])).toEqual(["0 0 1000 320", "0 0 960 320"]);
  for (const root of roots) expect(root).not.toMatch(/ (width|height)=/);
});
