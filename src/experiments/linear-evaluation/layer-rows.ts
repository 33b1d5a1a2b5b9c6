import type { Figure } from "../../display/chart";
import type { LayerProbes } from "./linear-by-layer";
import { withInterval } from "../ablation/ablation-rows";
import { type TextRow } from "../../display/table";

type Depth = LayerProbes["layers"][number]["depth"];

/** Accuracy of the linear probe in percent: a row for each layer, a column for each encoder. All have the same layers. */
export function layerRows(encoders: readonly LayerProbes[]): TextRow[] {
  return (encoders[0]?.layers ?? []).map(({ depth, dimension }, at) => ({
    layer: nameOf(depth),
    channels: String(dimension),
    ...Object.fromEntries(encoders.map(({ label, layers }) => [label, withInterval(layers[at]!.accuracy)])),
  }));
}

/** The same as curves from the first layer to the last. */
export function layerFigure(encoders: readonly LayerProbes[]): Figure {
  return {
    data: encoders.map(({ label, layers }) => ({
      name: label,
      x: layers.map(({ depth }) => nameOf(depth)),
      y: layers.map(({ accuracy }) => 100 * accuracy.mean),
      error_y: {
        array: layers.map(({ accuracy }) => 100 * (accuracy.high - accuracy.mean)),
        arrayminus: layers.map(({ accuracy }) => 100 * (accuracy.mean - accuracy.low)),
      },
      mode: "lines+markers",
    })),
    layout: {
      title: { text: "Linear probe by layer" },
      xaxis: { title: { text: "layer" }, type: "category" },
      yaxis: { title: { text: "accuracy on test (%)" } },
    },
  };
}

/** As torchvision names the layer. */
function nameOf(depth: Depth): string {
  return depth === "stem" ? depth : `layer${depth}`;
}
