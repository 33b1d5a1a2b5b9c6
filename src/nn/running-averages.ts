import type { BatchStatistics } from "../engine/batch-norm";
import { tf } from "../engine/tf";
import { flatten, type ParameterVector } from "./parameters";
import type { NormalizationMode } from "./resnet";

/** Share of the new batch in the running averages of batch normalization: PyTorch's default momentum. */
const runningAverageMomentum = 0.1;

/** What one batch normalization saw of one group. */
export interface LayerStatistics extends BatchStatistics {
  /** The batch normalization that saw them, for example "layer1.0.bn1". */
  readonly layer: string;
}

/** Training mode for a forward pass; what each batch normalization sees goes to `statistics`. */
export function trainingMode(statistics: LayerStatistics[]): NormalizationMode {
  return { training: true, onStatistics: (layer, batch) => statistics.push({ layer, ...batch }) };
}

/**
 * Moves the running averages once, by the mean over the groups, as PyTorch does. Disposes the statistics.
 *
 * @param statistics - of all layers of all groups, group after group
 */
export function updateRunningAverages(
  { running }: { readonly running: ParameterVector },
  statistics: readonly LayerStatistics[],
  groups: number,
): void {
  tf.tidy(() => moveRunningAverages(running, meanOverGroups(running, statistics, groups)));
}

/** Moves the running averages once, by the statistics of a batch in their order, [size]. */
export function moveRunningAverages(running: ParameterVector, batch: tf.Tensor1D): void {
  running.replace(
    tf.tidy(() =>
      tf.add<tf.Tensor1D>(tf.mul(running.values, 1 - runningAverageMomentum), tf.mul(batch, runningAverageMomentum)),
    ),
  );
}

/** The mean over the groups, in the order of the running averages, [size]. Disposes the statistics. */
export function meanOverGroups(
  running: ParameterVector,
  statistics: readonly LayerStatistics[],
  groups: number,
): tf.Tensor1D {
  return tf.tidy(() => {
    const all = joinStatistics(running, statistics, groups);
    return groups === 1 ? all : tf.mean<tf.Tensor1D>(tf.reshape(all, [groups, running.size]), 0);
  });
}

/**
 * Sets the running averages to the plain mean of the batch statistics over several forward passes (precise BN).
 *
 * @param passes - gives at least one; each runs a forward pass in the given mode, and all layers must take part in it
 */
export function averageStatistics(
  running: ParameterVector,
  passes: () => Iterable<(mode: NormalizationMode) => void>,
): void {
  const mean = new MeanStatistics(running);
  for (const pass of passes()) mean.add(pass);
  mean.apply();
  mean.dispose();
}

/** The sum behind {@link averageStatistics}, for passes that come one by one. Owns it: call `dispose`. */
export class MeanStatistics {
  private sum: tf.Tensor1D;
  private count = 0;

  constructor(private readonly running: ParameterVector) {
    this.sum = tf.zeros([running.size]);
  }

  /** @param pass - runs a forward pass in the given mode; all layers must take part in it */
  add(pass: (mode: NormalizationMode) => void): void {
    const statistics: LayerStatistics[] = [];
    try {
      pass(trainingMode(statistics));
    } catch (error) {
      disposeStatistics(statistics);
      throw error;
    }
    const next = tf.tidy(() => tf.add<tf.Tensor1D>(this.sum, joinStatistics(this.running, statistics, 1)));
    this.sum.dispose();
    this.sum = next;
    this.count++;
  }

  /** Puts the mean in place of the running averages; at least one pass must have been added. */
  apply(): void {
    this.running.replace(tf.tidy(() => tf.div<tf.Tensor1D>(this.sum, this.count)));
  }

  dispose(): void {
    this.sum.dispose();
  }
}

/**
 * One vector in the order of the running averages, group after group, [groups * size]. Disposes the statistics.
 *
 * By name: a forward pass need not compute its layers in the order in which their averages lie.
 */
function joinStatistics(
  { entries }: ParameterVector,
  statistics: readonly LayerStatistics[],
  groups: number,
): tf.Tensor1D {
  const inGroups = Array.from({ length: groups }, () => new Map<string, tf.Tensor1D>());
  statistics.forEach(({ layer, mean, variance }, index) => {
    const group = inGroups[Math.floor((index * groups) / statistics.length)]!;
    group.set(`${layer}.running_mean`, mean).set(`${layer}.running_var`, variance);
  });
  const all = flatten(inGroups.flatMap((group) => entries.map(({ name }) => group.get(name)!)));
  disposeStatistics(statistics);
  return all;
}

/** Frees what batch normalizations saw in a forward pass that was not finished. */
export function disposeStatistics(statistics: readonly LayerStatistics[]): void {
  statistics.forEach(({ mean, variance }) => tf.dispose([mean, variance]));
}
