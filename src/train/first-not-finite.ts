import { vectorToStateDict } from "../weights/state-dict";
import type { TrainingState } from "./state";

/**
 * Where a step that has diverged went wrong first, in words. Averages of the batch statistics are looked at in the order in
 * which images pass through the network, then gradients in the order in which they come back, then parameters.
 *
 * @param state - as the step has left it; before it, all was finite
 * @returns undefined if all tensors are finite: only the loss is not
 */
export function firstNotFinite({
  method,
  optimizers,
}: Pick<TrainingState, "method" | "optimizers">): string | undefined {
  const networks = Object.entries(method.networks);
  for (const [network, { running }] of networks) {
    const found = running && namesNotFinite(running)[0];
    if (found !== undefined) return `the batch statistics of ${network}.${found}`;
  }
  for (const [network, { momentumBuffer }] of optimizers) {
    const { entries } = method.networks[network]!.parameters;
    const found = namesNotFinite({ entries, values: momentumBuffer.value }).at(-1);
    if (found !== undefined) return `the gradient of ${network}.${found}`;
  }
  for (const [network, { parameters }] of networks) {
    const found = namesNotFinite(parameters)[0];
    if (found !== undefined) return `${network}.${found}`;
  }
  return undefined;
}

type Vector = Parameters<typeof vectorToStateDict>;

function namesNotFinite({ entries, values }: { readonly entries: Vector[0]; readonly values: Vector[1] }): string[] {
  return [...vectorToStateDict(entries, values, "")].flatMap(([name, tensor]) =>
    tensor.values.every(Number.isFinite) ? [] : [name],
  );
}
