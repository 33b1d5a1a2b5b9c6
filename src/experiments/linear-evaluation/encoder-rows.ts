import { parameterCount } from "../../nn/resnet-layout";
import { encoderTitle } from "./encoder-comparison";
import { publishedEncoders } from "../../paper/published-methods";
import type { TextRow } from "../../display/table";

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
