import { InputError } from "../errors";
import { isFloat, type HostTensor, type StoredTensor } from "./safetensors";

/** How checkpoints name their tensors; see {@link partsOf}. */
export const namings = ["kit", "moco", "torchvision", "detectron2"] as const;

export type Naming = (typeof namings)[number];

type Tensors = ReadonlyMap<string, StoredTensor>;

/** Networks and queue of a checkpoint. The networks' tensors have torchvision's names. */
export interface CheckpointParts {
  /** f_q: what is evaluated and transferred. */
  readonly query: Tensors;
  /** f_k, where the checkpoint has it. */
  readonly key: Tensors | undefined;
  /** Keys, [K, C], and the row of the oldest. */
  readonly queue: { readonly keys: HostTensor; readonly pointer: number } | undefined;
}

/** What {@link partsOf} finds. */
export interface FoundParts extends CheckpointParts {
  /** Whose names the file has. */
  readonly naming: Naming;
  /** Names of tensors beside the parts, for example of a projection head that is not the paper's. */
  readonly leftOut: readonly string[];
}

/** What a file of weights holds: tensors by name, and text. */
export interface NamedTensors {
  readonly tensors: Tensors;
  readonly metadata: Readonly<Record<string, string>>;
}

interface NamingRule {
  /** Starts of the names of f_q and f_k; without f_k the file is one network. */
  readonly query: string;
  readonly key?: string;
  /** The queue, as [K, C] or, in the official code, as [C, K], and the tensor of its pointer. */
  readonly queue?: {
    readonly name: string;
    readonly keysAreColumns: boolean;
    readonly pointer: string;
    readonly pointerTensor: (row: number) => StoredTensor;
  };
  /** From torchvision's name to the file's, and back. */
  readonly rename: (name: string) => string;
  readonly restore: (name: string) => string;
}

const same = (name: string): string => name;

const rules: Readonly<Record<Naming, NamingRule>> = {
  // src/train/start-method.ts
  kit: {
    query: "encoder_q.",
    key: "encoder_k.",
    queue: {
      name: "queue",
      keysAreColumns: false,
      pointer: "queue_pointer",
      pointerTensor: (row) => ({ shape: [1], values: Float32Array.of(row) }),
    },
    rename: same,
    restore: same,
  },
  // facebookresearch/moco, moco/builder.py in DistributedDataParallel
  moco: {
    query: "module.encoder_q.",
    key: "module.encoder_k.",
    queue: {
      name: "module.queue",
      keysAreColumns: true,
      pointer: "module.queue_ptr",
      pointerTensor: (row) => ({ shape: [1], values: BigInt64Array.of(BigInt(row)) }),
    },
    rename: same,
    restore: same,
  },
  torchvision: { query: "", rename: same, restore: same },
  // facebookresearch/moco, detection/convert-pretrain-to-detectron2.py
  detectron2: {
    query: "",
    rename: (name) =>
      (name.includes("layer") ? name : `stem.${name}`)
        .replace(/^layer([1-4])/, (_, stage) => `res${Number(stage) + 1}`)
        .replace(/bn([1-3])/, "conv$1.norm")
        .replace("downsample.0", "shortcut")
        .replace("downsample.1", "shortcut.norm"),
    restore: (name) =>
      name
        .replace(/^stem\./, "")
        .replace(/^res([2-5])/, (_, stage) => `layer${Number(stage) - 1}`)
        .replace(/conv([1-3])\.norm/, "bn$1")
        .replace("shortcut.norm", "downsample.1")
        .replace("shortcut", "downsample.0"),
  },
};

/** Names that a message lists. */
const listedNames = 10;

/** The first tensor of a ResNet, after whatever stands before its names; a block's first convolution is no such tensor. */
const firstConvolution = /^((?:.*\.)?)conv1\.weight$/;
const insideStage = /(?:^|\.)(?:layer|res)\d+\.\d+\.$/;

/** f_q and f_k as the official code and Lightning's ports of it name them, after any start. */
const queryStart = /^((?:.*\.)?)encoder_q\.$/;

/** torchvision's names in a ResNet. */
const ofResNet = /^(?:conv1|bn1|layer\d+|fc)\./;

/**
 * Finds networks and queue in a checkpoint of any naming:
 *
 * - kit: our own checkpoints, `encoder_q.*`, `encoder_k.*`, `queue`, `queue_pointer`
 * - moco: the official code's, `module.encoder_q.*`, `module.encoder_k.*`, `module.queue`, `module.queue_ptr`; without
 *   `module.` (one GPU) or after another start (Lightning) too
 * - torchvision: one ResNet, `conv1.weight`, `layer1.0.conv1.weight`, ..., after any start (`module.` of main_lincls)
 * - detectron2: one ResNet, `stem.conv1.weight`, `res2.0.conv1.weight`, ...
 *
 * @param source - the file's name, for messages
 * @throws InputError if the names are of none of these, there are several networks, or some names of the kit's or of
 * detectron2's have no place
 */
export function partsOf({ tensors, metadata }: NamedTensors, source: string): FoundParts {
  const names = [...tensors.keys()];
  const isKit = names.some((name) => name.startsWith("encoder_q.")) && !names.includes("queue_ptr");
  // What else our own checkpoints hold is only of use to the training that wrote them.
  if (isKit) return strictParts(tensors, "kit", holdsTraining(metadata), source);
  if (names.some((name) => name.startsWith("res2."))) return strictParts(tensors, "detectron2", false, source);

  const starts = names
    .map((name) => firstConvolution.exec(name)?.[1])
    .filter((start) => start !== undefined && !insideStage.test(start)) as string[];
  const [before] = starts.map((start) => queryStart.exec(start)?.[1]).filter((start) => start !== undefined);
  const ofMoco = before === undefined ? [] : [`${before}encoder_q.`, `${before}encoder_k.`];
  const others = starts.filter((start) => !ofMoco.includes(start));
  if (others.length > (before === undefined ? 1 : 0)) {
    throw new InputError(
      `Cannot choose a network in ${source}: it must have one, or encoder_q and encoder_k, current ones are ` +
        `${starts.map((start) => `${start}conv1.weight`).join(", ")}. Save the state dict of one with Python`,
    );
  }
  if (starts.length === 0) {
    throw new InputError(
      `Cannot find a network in ${source}: its tensors have names of none of ${namings.join(", ")}, ` +
        `its first are ${names.slice(0, listedNames).join(", ") || "none"}; sought is conv1.weight of a ResNet, after any start`,
    );
  }
  const naming = before === undefined ? "torchvision" : "moco";
  const renamed = { ...rules[naming], ...(before === undefined ? { query: starts[0]! } : startingWith(before)) };
  const query = network(tensors, renamed.query, same);
  const key = renamed.key === undefined ? undefined : network(tensors, renamed.key, same);
  const used = new Set([...query.keys()].filter((name) => ofResNet.test(name)).map((name) => renamed.query + name));
  for (const name of key?.keys() ?? []) used.add(renamed.key + name);
  if (renamed.queue !== undefined) used.add(renamed.queue.name).add(renamed.queue.pointer);
  return {
    naming,
    query: new Map([...query].filter(([name]) => ofResNet.test(name))),
    key: key?.size ? key : undefined,
    queue: queueOf(tensors, renamed, source),
    leftOut: names.filter((name) => !used.has(name)),
  };
}

/** The official names after another start than `module.`. */
function startingWith(before: string): Pick<NamingRule, "query" | "key" | "queue"> {
  const { queue } = rules.moco;
  return {
    query: `${before}encoder_q.`,
    key: `${before}encoder_k.`,
    queue: { ...queue!, name: `${before}queue`, pointer: `${before}queue_ptr` },
  };
}

/** The parts of a file whose every name must have a place among those of its naming. */
function strictParts(tensors: Tensors, naming: Naming, leavesOut: boolean, source: string): FoundParts {
  const rule = rules[naming];
  const query = network(tensors, rule.query, rule.restore);
  const key = rule.key === undefined ? undefined : network(tensors, rule.key, rule.restore);
  const expected = new Set([...query.keys()].map((name) => rule.query + rule.rename(name)));
  for (const name of key?.keys() ?? []) expected.add(rule.key + rule.rename(name));
  if (rule.queue !== undefined) expected.add(rule.queue.name).add(rule.queue.pointer);
  const leftOut = [...tensors.keys()].filter((name) => !expected.has(name));
  if (leftOut.length > 0 && !leavesOut) {
    throw new InputError(
      `Cannot use ${source}: it has tensors that no ${naming} checkpoint has.\n  ` +
        leftOut.map((name) => `unexpected: ${name}`).join("\n  "),
    );
  }
  return { naming, query, key: key?.size ? key : undefined, queue: queueOf(tensors, rule, source), leftOut };
}

/** Whether a file is a checkpoint of the kit that training goes on from, not weights only. */
export function holdsTraining(metadata: NamedTensors["metadata"]): boolean {
  return metadata["format"]?.startsWith("moco-kit checkpoint") ?? false;
}

/**
 * Names the parts of a checkpoint for another program. What that has no names for, key encoder and queue in torchvision and
 * detectron2, is left out.
 */
export function nameParts({ query, key, queue }: CheckpointParts, naming: Naming): Map<string, StoredTensor> {
  const rule = rules[naming];
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of query) tensors.set(rule.query + rule.rename(name), tensor);
  if (rule.key !== undefined) for (const [name, tensor] of key ?? []) tensors.set(rule.key + rule.rename(name), tensor);
  if (rule.queue !== undefined && queue !== undefined) {
    tensors.set(rule.queue.name, rule.queue.keysAreColumns ? transposed(queue.keys) : queue.keys);
    tensors.set(rule.queue.pointer, rule.queue.pointerTensor(queue.pointer));
  }
  return tensors;
}

function network(tensors: Tensors, prefix: string, restore: NamingRule["restore"]): Map<string, StoredTensor> {
  return new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [restore(name.slice(prefix.length)), tensor]),
  );
}

function queueOf(tensors: Tensors, { queue }: NamingRule, source: string): CheckpointParts["queue"] {
  const stored = queue && tensors.get(queue.name);
  if (queue === undefined || stored === undefined) return undefined;
  const keys = isFloat(stored) && stored.shape.length === 2 ? stored : undefined;
  const pointer = Number(tensors.get(queue.pointer)?.values[0]);
  const size = keys?.shape[queue.keysAreColumns ? 1 : 0];
  if (keys === undefined || !(Number.isSafeInteger(pointer) && pointer >= 0 && pointer < size!)) {
    throw new InputError(
      `Cannot use ${source}: its queue of shape [${stored.shape.join(", ")}] has no keys or no pointer to one of them`,
    );
  }
  return { keys: queue.keysAreColumns ? transposed(keys) : keys, pointer };
}

function transposed({ shape, values }: HostTensor): HostTensor {
  const [rows, columns] = shape as [number, number];
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column]!;
  }
  return { shape: [columns, rows], values: result };
}
