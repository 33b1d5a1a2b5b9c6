import type { Figure, Trace } from "../../display/chart";
import type { TextRow } from "../../display/table";
import { parameterCount } from "../../nn/resnet-layout";
import { publishedEncoders, publishedMethods } from "../../paper/published-methods";
import type { AblationResult } from "../ablation/ablation-result";
import { encoderTitle } from "./encoder-comparison";

/** The encoders of Table 1 at their own widths: parameters counted from the shapes beside those that the paper prints. */
export function encoderRows(): TextRow[] {
  return publishedEncoders.map(({ name, network, parameters, accuracy }) => ({
    "Table 1": name,
    network: encoderTitle(network),
    "parameters, counted": parameterCount(network).toLocaleString("en"),
    "parameters, published": `${parameters} M`,
    "MoCo, published": accuracy.toFixed(1),
  }));
}

/**
 * The figure beside Table 1: accuracy by parameters, of MoCo and of the methods that the paper lists. What was trained here
 * stands in the same chart on axes of its own.
 */
export function parametersFigure({ ablation, rows }: AblationResult): Figure {
  const ours = rows.flatMap(({ label, metrics: { linear } }, index) =>
    linear === undefined
      ? []
      : [{ label, x: parameterCount(ablation.cells[index]!.recipe.encoder) / 1e6, y: 100 * linear.mean }],
  );
  const trace = (
    name: string,
    points: readonly { readonly x: number; readonly y: number; readonly label: string }[],
    more: Partial<Trace>,
  ): Trace => ({
    name,
    x: points.map(({ x }) => x),
    y: points.map(({ y }) => y),
    text: points.map(({ label }) => label),
    mode: "markers",
    ...more,
  });
  const moco = publishedEncoders.map(({ name, parameters, accuracy }) => ({ label: name, x: parameters, y: accuracy }));
  const others = publishedMethods.map(([label, x, y]) => ({ label, x, y }));
  return {
    data: [
      trace("MoCo, published", moco, {
        mode: "lines+markers",
        marker: { color: "#D55E00" },
        line: { color: "#D55E00" },
      }),
      trace("other methods, published", others, { marker: { color: "#7f7f7f" } }),
      ...(ours.length === 0
        ? []
        : [
            trace("MoCo, here (above, right)", ours, {
              marker: { color: "#0072B2", symbol: "diamond", size: 9 },
              xaxis: "x2",
              yaxis: "y2",
            }),
          ]),
    ],
    layout: {
      title: { text: "Accuracy by parameters (Table 1)" },
      xaxis: { title: { text: "parameters (millions)" }, type: "log" },
      yaxis: { title: { text: "published: ImageNet, linear (%)" } },
      ...(ours.length > 0 && {
        xaxis2: { title: { text: "parameters here (millions)" }, type: "log" },
        yaxis2: { title: { text: "here: linear probe on test (%)" } },
      }),
    },
  };
}
