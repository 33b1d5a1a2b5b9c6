import type { ImageData } from "../../data/image-set";
import { tf } from "../../engine/tf";
import { readValues } from "../../evaluate/read-values";
import { contrastLogits } from "../../methods/losses";
import type { Batch, Method } from "../../methods/method";
import { keyName } from "../../methods/network-names";
import { updateMomentumEncoder } from "../../methods/momentum-encoder";
import { encodeShuffled } from "../../methods/shuffling-bn";
import { copyEncoder, disposeEncoder, encode, type Encoder } from "../../nn/encoder";
import { drawBatch } from "../../train/draw-batch";
import type { MethodRecipe, Recipe } from "../../train/recipe";
import { meanOf } from "../../statistics/mean";

/** A recipe whose method keeps a dictionary from step to step. */
export type DictionaryRecipe = Recipe & { readonly method: Extract<MethodRecipe, { kind: "moco" | "memory-bank" }> };

/** A training at one moment. */
export interface Moment {
  readonly recipe: DictionaryRecipe;
  readonly data: ImageData;
  readonly seed: number;
  readonly method: Method;
  /** Steps done. */
  readonly step: number;
}

/** How far the stored keys of one age are from what the present encoder makes of the same views. */
export interface Drift {
  /** Updates of the encoder between storing and now, in steps. */
  readonly age: number;
  /** 1 - cosine, mean over the keys. */
  readonly drift: number;
  /** How many keys of that age the dictionary still holds. */
  readonly keys: number;
}

/**
 * The drift of a dictionary's keys by age: of the queue against the present key encoder, of the memory bank against the
 * present encoder.
 *
 * A batch that was stored is drawn anew with the same views, in the same groups and the same shuffle, so that nothing but
 * the encoder's weights makes the difference; in the bank, also the older representations that an entry still has in it.
 *
 * @param ages - rising; those that the dictionary does not hold are left out
 */
export function readDrift(moment: Moment, ages: readonly number[]): Drift[] {
  return moment.recipe.method.kind === "moco" ? driftOfQueue(moment, ages) : driftOfBank(moment, ages);
}

function driftOfQueue(moment: Moment, ages: readonly number[]): Drift[] {
  const { recipe, method, step } = moment;
  const { batchSize, bnGroups } = recipe;
  const { queueSize } = recipe.method as Extract<MethodRecipe, { kind: "moco" }>;
  const { keys, pointer } = queueOf(method);
  // Encoding moves running averages: a copy's, so that training does not notice.
  const encoder = copyEncoder(keyEncoderOf(method));
  const drifts = ages
    .filter((age) => (age + 1) * batchSize <= queueSize && age < step)
    .map((age) => {
      const batch = batchOf(moment, step - 1 - age);
      const now = read(batch.view(1), (view) =>
        encodeShuffled(encoder, view, { bnGroups, permutation: permutationOf(method, batch) }),
      );
      const first = (pointer - (age + 1) * batchSize + queueSize) % queueSize;
      return driftOf(age, batch.indices, keys, now, (position) => first + position);
    });
  disposeEncoder(encoder);
  return drifts;
}

function driftOfBank(moment: Moment, ages: readonly number[]): Drift[] {
  const { recipe, method, step } = moment;
  const entries = bufferOf(method, "memory_bank");
  const encoder = copyEncoder(method.encoder);
  const seenSince = new Set<number>();
  const drifts: Drift[] = [];
  // An entry is stored before its step's update of the encoder: the newest are one update old.
  for (let age = 1; age <= Math.min(step, ages.at(-1) ?? 0); age++) {
    const batch = batchOf(moment, step - age);
    if (ages.includes(age) && batch.indices.some((image) => !seenSince.has(image))) {
      const now = read(batch.view(0), (view) => encode(encoder, view, recipe));
      drifts.push(driftOf(age, batch.indices, entries, now, (_, image) => (seenSince.has(image) ? undefined : image)));
    }
    batch.indices.forEach((image) => seenSince.add(image));
  }
  disposeEncoder(encoder);
  return drifts;
}

/** @param rowOf - the dictionary's row of the image at a position of the batch; undefined if it was overwritten since */
function driftOf(
  age: number,
  images: Int32Array,
  stored: Float32Array,
  now: Float32Array,
  rowOf: (position: number, image: number) => number | undefined,
): Drift {
  const dimension = now.length / images.length;
  const distances = [...images].flatMap((image, position) => {
    const row = rowOf(position, image);
    if (row === undefined) return [];
    let cosine = 0;
    for (let at = 0; at < dimension; at++) cosine += stored[row * dimension + at]! * now[position * dimension + at]!;
    return [1 - cosine];
  });
  return { age, drift: meanOf(distances), keys: distances.length };
}

/** Pretext accuracy with a share of the queue taken out of the negatives. */
export interface MaskedAccuracy {
  readonly share: number;
  /** With the oldest keys taken out. */
  readonly oldest: number;
  /** With as many taken out at random: the expectation over all choices. Fewer negatives make the task easier by itself. */
  readonly random: number;
}

/**
 * The pretext accuracy that the next step would report, with parts of the queue masked. Nothing is trained by it.
 *
 * @param shares - parts of the queue, 0 to 1
 */
export function readMaskedAccuracy(moment: Moment, shares: readonly number[]): MaskedAccuracy[] {
  const { recipe, method, step } = moment;
  const { queueSize, momentum, temperature } = recipe.method as Extract<MethodRecipe, { kind: "moco" }>;
  const { bnGroups, encoder: config } = recipe;
  const { keys, pointer } = queueOf(method);
  const batch = batchOf(moment, step);
  const [queryEncoder, keyEncoder] = [copyEncoder(method.encoder), copyEncoder(keyEncoderOf(method))];
  updateMomentumEncoder(keyEncoder, queryEncoder, { momentum });
  const [query, key] = batch.views() as [tf.Tensor4D, tf.Tensor4D];
  const logits = readValues(() =>
    contrastLogits(
      encode(queryEncoder, query, { bnGroups }),
      encodeShuffled(keyEncoder, key, { bnGroups, permutation: permutationOf(method, batch) }),
      { negatives: tf.tensor2d(keys, [queueSize, config.dimension]), temperature },
    ),
  );
  tf.dispose([query, key]);
  disposeEncoder(queryEncoder);
  disposeEncoder(keyEncoder);

  // For each query, the ages of the negatives that beat its positive: 0 is the oldest key of the queue.
  const beatenBy = Array.from({ length: batch.size }, (_, row) => {
    const [positive, ...negatives] = logits.subarray(row * (queueSize + 1), (row + 1) * (queueSize + 1));
    return negatives.flatMap((logit, at) => (logit > positive! ? [(at - pointer + queueSize) % queueSize] : []));
  });
  return shares.map((share) => {
    const masked = Math.round(share * queueSize);
    return {
      share,
      oldest: meanOf(beatenBy.map((ranks) => (ranks.every((rank) => rank < masked) ? 1 : 0))),
      random: meanOf(beatenBy.map((ranks) => chanceThatAllAreMasked(ranks.length, masked, queueSize))),
    };
  });
}

/** Chance that `count` given keys are all among `masked` of `size` keys drawn without replacement. */
export function chanceThatAllAreMasked(count: number, masked: number, size: number): number {
  let chance = 1;
  for (let at = 0; at < count && chance > 0; at++) chance *= Math.max(0, masked - at) / (size - at);
  return chance;
}

function batchOf({ recipe, data, seed, method: { views } }: Moment, step: number): Batch {
  return drawBatch(data, recipe, { seed, step, views });
}

/** The order in which the step of a batch shuffles its keys; undefined where it does not. */
function permutationOf(method: Method, batch: Batch): tf.Tensor1D | undefined {
  const { permutation } = method.draw?.(batch) ?? {};
  return permutation && tf.tensor1d(permutation, "int32");
}

function queueOf(method: Method): { readonly keys: Float32Array; readonly pointer: number } {
  return { keys: bufferOf(method, "queue"), pointer: bufferOf(method, "queue_pointer")[0]! };
}

/** What a method carries besides its networks, read out of the engine. */
function bufferOf({ buffers = [] }: Method, name: string): Float32Array {
  return buffers.find((buffer) => buffer.name === name)!.value.dataSync<"float32">();
}

function keyEncoderOf({ networks }: Method): Encoder {
  return networks[keyName] as Encoder;
}

/** Encodes a view and disposes it. */
function read(view: tf.Tensor4D, encodeView: (view: tf.Tensor4D) => tf.Tensor2D): Float32Array {
  const values = readValues(() => encodeView(view));
  view.dispose();
  return values;
}
