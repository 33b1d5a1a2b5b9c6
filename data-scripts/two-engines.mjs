// Draws docs/two-engines.svg from the recorded runs of the kit and of PyTorch.
// Usage: npm run build && bin/engine-node data-scripts/two-engines.mjs
import { writeFileSync } from "node:fs";
import { URL } from "node:url";
import charts from "../dist/notebook/chart.js";
import svg from "../dist/notebook/svg-chart.js";
import report from "../dist/report/two-engines.js";
import runs from "../dist/reproduce/read-two-engines.js";
import table from "../dist/tables/two-engines.js";

const comparison = table.compareEngines(runs.readTwoEngines());
const drawn = ["loss", "knn"].map(
  (measure) => charts.chartBundle(report.engineFigure(comparison, measure))["image/svg+xml"],
);
writeFileSync(new URL("../docs/two-engines.svg", import.meta.url), `${svg.stackCharts(drawn)}\n`);
