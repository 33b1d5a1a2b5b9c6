import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createProgram } from "../../src/engine/program";
import type { NamedTensors, TensorFunction } from "../../src/engine/tensor-function";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";
import type { StepResult } from "../../src/methods/step";
import {
  copyEncoder,
  createEncoder,
  disposeEncoder,
  l2Normalize,
  type Encoder,
  type EncoderConfig,
} from "../../src/nn/encoder";
import { decodeSafetensors } from "../../src/weights/safetensors";
import { fromStateDict, toStateDict, type StateDict } from "../../src/weights/state-dict";
import { learningRateAt, type Schedule } from "../../src/train/schedule";
import { Sgd } from "../../src/train/sgd";
import { hashed, hashedState, sampled } from "../weights/hashed";

/** What test/golden/trajectories.py trained with. */
export interface GoldenConfig {
  readonly head: "linear" | "mlp";
  readonly width: number;
  readonly dimension: number;
  readonly size: number;
  readonly images: number;
  readonly batch: number;
  readonly bnGroups: number;
  readonly steps: number;
  readonly rate: number;
  readonly sgdMomentum: number;
  readonly weightDecay: number;
  readonly temperature: number;
  readonly schedule: Schedule;
  readonly seed: number;
  readonly momentum?: number;
  readonly queueSize?: number;
  readonly symmetric?: boolean;
  readonly negatives?: number;
}

/** A step of the reference: what it was given, and what came out. */
export interface GoldenStep {
  readonly loss: number;
  /** null where a tie would be decided by rounding. */
  readonly accuracy: number | null;
  readonly indices: readonly number[];
  readonly negatives?: readonly number[];
  readonly permutations?: readonly (readonly number[])[];
}

export interface GoldenTrajectory {
  readonly config: GoldenConfig;
  readonly encoder: EncoderConfig;
  readonly steps: readonly GoldenStep[];
  /** By step and kind of tensor, the largest ||a - b|| / ||b|| between PyTorch in float32 and in float64. */
  readonly float32Distances: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Samples of the float64 tensors, by step and "kind.name". */
  readonly expected: ReadonlyMap<number, ReadonlyMap<string, Float32Array>>;
}

export function readTrajectory(name: string): GoldenTrajectory {
  const file = (extension: string): Buffer =>
    readFileSync(join(__dirname, "fixtures", `trajectory-${name}.${extension}`));
  const fixture = JSON.parse(file("json").toString()) as Omit<GoldenTrajectory, "encoder" | "expected">;
  const { width, head, dimension } = fixture.config;
  const expected = new Map<number, Map<string, Float32Array>>();
  for (const [path, { values }] of decodeSafetensors(file("safetensors"), name).tensors) {
    const [step] = path.split(".") as [string];
    const ofStep = expected.get(Number(step)) ?? new Map<string, Float32Array>();
    expected.set(Number(step), ofStep.set(path.slice(step.length + 1), values));
  }
  return { ...fixture, encoder: { architecture: "resnet18", width, stem: "cifar", head, dimension }, expected };
}

/** The kit on the way of a trajectory: one step at a time. */
export interface Walker {
  /** Steps, up to and with the optimizer. `logits` are those of this step, in the reference's order. */
  readonly step: (given: GoldenStep, index: number) => { loss: number; accuracy: number; logits: tf.Tensor2D };
  /** By the prefix that their tensors have in the fixture. */
  readonly networks: Readonly<Record<string, Encoder>>;
  /** Queue or bank, as it is now. */
  readonly memory?: () => { readonly name: "queue" | "bank"; readonly rows: tf.Tensor2D };
  readonly dispose: () => void;
}

/** How far one tensor is from the reference, as a multiple of three times PyTorch's own distance: above 1 is too far. */
export interface Deviation {
  readonly step: number;
  readonly kind: string;
  readonly tensor: string;
  readonly timesTheLimit: number;
}

/** Walks along a trajectory and disposes the walker. All tensors of all stored steps, and the accuracy of every step. */
export function follow({ config, steps, expected, float32Distances }: GoldenTrajectory, walker: Walker): Deviation[] {
  const deviations: Deviation[] = [];
  const losses: number[] = [];
  steps.forEach((given, index) => {
    const step = index + 1;
    const { loss, accuracy, logits } = walker.step(given, index);
    losses.push(loss);
    if (given.accuracy !== null && Math.abs(accuracy - given.accuracy) > 1e-6) {
      deviations.push({ step, kind: "accuracy", tensor: "accuracy", timesTheLimit: Infinity });
    }
    const references = expected.get(step) ?? new Map<string, Float32Array>();
    const states = references.size > 0 ? statesOf(walker) : new Map<string, Float32Array>();
    if (references.size > 0) states.set("logits", logits.dataSync<"float32">());
    for (const [path, reference] of references) {
      const [kind] = path.split(".") as [string];
      const tensor = path.slice(kind.length + 1);
      const values = kind === "loss" ? Float64Array.from(losses) : sampled(states.get(tensor)!);
      const limit = 3 * float32Distances[String(step)]![kind]!;
      deviations.push({ step, kind, tensor, timesTheLimit: distance(values, reference) / limit });
    }
    logits.dispose();
  });
  walker.dispose();
  if (steps.length !== config.steps) throw new Error(`The fixture has ${steps.length} steps`);
  return deviations;
}

/** The kinds of tensors that left the trajectory. */
export function kindsBeyond(deviations: readonly Deviation[]): string[] {
  return [...new Set(deviations.filter(({ timesTheLimit }) => !(timesTheLimit <= 1)).map(({ kind }) => kind))];
}

/** ||a - b|| / ||b||. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} values, expected ${b.length}`);
  let difference = 0;
  let size = 0;
  for (let index = 0; index < b.length; index++) {
    difference += (a[index]! - b[index]!) ** 2;
    size += b[index]! ** 2;
  }
  return Math.sqrt(difference / size);
}

/** All that a walker carries, by the names of the fixture. */
function statesOf({ networks, memory }: Walker): Map<string, Float32Array> {
  const states = new Map<string, Float32Array>();
  for (const [prefix, network] of Object.entries(networks)) {
    for (const [name, { values }] of stateOf(network)) states.set(prefix + name, values);
  }
  if (memory) states.set(memory().name, memory().rows.dataSync<"float32">());
  return states;
}

/** Parameters and running averages in PyTorch's layout. */
function stateOf({ parameters, running }: Encoder): StateDict {
  return new Map([...toStateDict(parameters, ""), ...toStateDict(running, "")]);
}

/** A network with the hashed weights that each trajectory starts from. */
export function startingEncoder(config: EncoderConfig): Encoder {
  const { parameters, running, ...rest } = createEncoder(config, randomStream(0, "shapes"));
  const shapes = [...stateOf({ ...rest, parameters, running })].map(([name, { shape }]) => [name, shape] as const);
  const state = hashedState(Object.fromEntries(shapes));
  const started = {
    ...rest,
    parameters: fromStateDict(state, parameters.entries, "", "the hash"),
    running: fromStateDict(state, running.entries, "", "the hash"),
  };
  disposeEncoder({ ...rest, parameters, running });
  return started;
}

/** The queue or the bank at the start. */
export function hashedUnitRows(count: number, dimension: number): tf.Tensor2D {
  return tf.tidy(() => l2Normalize(tf.tensor2d(hashed(1000, count * dimension, -1, 1), [count, dimension])));
}

/** An image is 4 x 4 colored squares; a view of it has noise of its own. [N, size, size, 3] */
export function view(
  { config }: GoldenTrajectory,
  indices: readonly number[],
  step: number,
  which: 0 | 1,
): tf.Tensor4D {
  const { size, images, seed } = config;
  const squares = hashed(seed, images * 4 * 4 * 3, -1, 1);
  const noise = hashed(seed + 1 + 2 * step + which, indices.length * size * size * 3, -1, 1);
  const square = size / 4;
  const values = noise.map((value, position) => {
    const channel = position % 3;
    const x = Math.floor(position / 3) % size;
    const y = Math.floor(position / (3 * size)) % size;
    const image = indices[Math.floor(position / (3 * size * size))]!;
    const at = ((image * 4 + Math.floor(y / square)) * 4 + Math.floor(x / square)) * 3 + channel;
    return squares[at]! + value / 2;
  });
  return tf.tensor4d(values, [indices.length, size, size, 3]);
}

/** What a network makes of images, without touching its running averages: to look at the logits of a step. */
export function encodeAside(network: Encoder, encodeWith: (copy: Encoder) => tf.Tensor2D): tf.Tensor2D {
  const copy = copyEncoder(network);
  const encoded = encodeWith(copy);
  disposeEncoder(copy);
  return encoded;
}

/** SGD with the numbers of a trajectory. */
export function optimize({ config }: GoldenTrajectory, networks: readonly Encoder[]) {
  const optimizers = networks.map(({ parameters }) => Sgd.create(parameters));
  const { sgdMomentum: momentum, weightDecay } = config;
  return {
    apply: ({ gradients }: Pick<StepResult, "gradients">, learningRate: tf.Scalar) => {
      optimizers.forEach((optimizer, number) =>
        optimizer.apply(networks[number]!.parameters, gradients[number]!, { learningRate, momentum, weightDecay }),
      );
      tf.dispose([...gradients]);
    },
    dispose: () => optimizers.forEach((optimizer) => optimizer.dispose()),
  };
}

/** A step with its optimizer, as a walker takes it. */
export interface WalkedStep {
  readonly compute: (inputs: NamedTensors) => StepResult;
  readonly optimizer: Pick<ReturnType<typeof optimize>, "apply">;
}

/**
 * Takes steps as training does: recorded at the first, a step an epoch of the schedule.
 *
 * @param form - "op by op" for a step that looks into its tensors
 */
export function stepper({ config }: GoldenTrajectory, { compute, optimizer }: WalkedStep, form = "recorded") {
  const whole = ({ learningRate, ...inputs }: NamedTensors) => {
    const { loss, accuracy, gradients } = compute(inputs);
    optimizer.apply({ gradients }, learningRate as tf.Scalar);
    return { loss, accuracy };
  };
  let program: ReturnType<typeof createProgram> | undefined;
  return {
    take: (given: NamedTensors, index: number): { loss: number; accuracy: number } => {
      const moment = { baseRate: config.rate, epoch: index, epochs: config.steps };
      const inputs = { ...given, learningRate: tf.scalar(learningRateAt(config.schedule, moment)) };
      if (form === "recorded") program ??= createProgram({ step: { inputs: specsOf(inputs), compute: whole } });
      const { loss, accuracy } = program?.run("step", inputs) ?? tf.tidy(() => whole(inputs));
      const report = { loss: loss.dataSync()[0]!, accuracy: accuracy.dataSync()[0]! };
      tf.dispose([loss, accuracy, ...Object.values(inputs)]);
      return report;
    },
    dispose: () => program?.dispose(),
  };
}

function specsOf(inputs: NamedTensors): TensorFunction["inputs"] {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, dtype }]) => [name, { shape, dtype: dtype as "float32" | "int32" }]),
  );
}

/** Whole numbers as an input. */
export function integers(values: readonly number[]): tf.Tensor1D {
  return tf.tensor1d([...values], "int32");
}
