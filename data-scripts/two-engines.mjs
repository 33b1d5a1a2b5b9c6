// Draws docs/two-engines.svg from the recorded runs of the kit and of PyTorch.
// Usage: npm run build && bin/engine-node data-scripts/two-engines.mjs
import { writeFileSync } from "node:fs";
import { URL } from "node:url";
import charts from "../dist/display/chart.js";
import svg from "../dist/display/svg-chart.js";
import report from "../dist/experiments/pytorch-parity/two-engines-rows.js";
import runs from "../dist/experiments/pytorch-parity/read-two-engines.js";
import table from "../dist/experiments/pytorch-parity/two-engines.js";

const comparison = table.compareEngines(runs.readTwoEngines());
const drawn = ["loss", "knn"].map(
  (measure) => charts.chartBundle(report.engineFigure(comparison, measure))["image/svg+xml"],
);
writeFileSync(new URL("../docs/two-engines.svg", import.meta.url), `${svg.stackCharts(drawn)}\n`);
