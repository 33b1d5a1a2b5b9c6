import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend";
import type { TFEOpAttr, TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding";
import type { GraphNode, NodeAttribute } from "./graph-definition";
import { tf } from "./tf";
import { release, type Held } from "./held-tensor";
import type { Variable } from "./variable";

/** What of tfjs's backend recording works on; tfjs hides some of it from its types. */
export interface Backend {
  binding: TFJSBinding;
  getInputTensorIds: (this: Backend, tensors: readonly tf.Tensor[]) => number[];
  createOutputTensor: (this: Backend, metadata: { id: number; shape: number[]; dtype: number }) => tf.Tensor;
  move: (this: Backend, ...parameters: Parameters<NodeJSKernelBackend["move"]>) => void;
}

export function backend(): Backend {
  return tf.backend() as unknown as Backend;
}

/** TensorFlow's numbers of the types that a program may hold. */
export const typeNumbers: Readonly<Record<string, number>> = { float32: 1, int32: 3, bool: 10 };

let current: Recording | undefined;

function setCurrent(recording: Recording | undefined): void {
  current = recording;
}

/** The recording that goes on now, if one does. */
export function currentRecording(): Recording | undefined {
  return current;
}

/** Numbers in a tensor up to which its values are kept while a function is recorded. */
const smallSize = 1024;

/**
 * One function as it is recorded: it runs once, each of its kernel calls runs as always and becomes a node.
 *
 * It runs for the shapes alone. The values of larger results are freed at once, and where one is an input of a later kernel
 * a tensor of zeros stands in for it, one for each shape: else recording a step would take more memory than the step.
 *
 * tfjs reaches TensorFlow through one object, the binding: `executeOp` runs a kernel, `createTensor` uploads values. While
 * a function is recorded, another object stands in its place that writes both down. Gradients need nothing special: they
 * are kernel calls too.
 */
export class Recording {
  readonly nodes: GraphNode[] = [];
  /** What the function assigned, with the tensor it assigned last. */
  readonly assigned = new Map<Variable, Held>();
  /** The nodes that give the values of variables that the function read. */
  readonly reads = new Map<Variable, string>();
  /** TensorFlow's number of the type of each value of the graph, by "name" or "name:output". */
  readonly types = new Map<string, number>();
  /** In which section each node is, by its name: how many pauses came before it. */
  readonly sections = new Map<string, number>();
  private section = 0;
  private convolutionSize = 0;
  private readonly held = new Map<Variable, Held>();
  /** Where each tensor of the engine, by its number there, comes from in the graph. */
  private readonly sources = new Map<number, string>();
  private readonly shapes = new Map<number, readonly number[]>();
  private readonly owners = new Map<number, string>();
  private readonly writtenHere = new WeakSet<object>();
  /** Shapes and types of the results whose values were freed, by their numbers in the engine. */
  private readonly freed = new Map<number, { readonly shape: readonly number[]; readonly dtype: number }>();
  /** Tensors of zeros, by type and shape. */
  private readonly standIns = new Map<string, number>();
  private intercepted: TFJSBinding | undefined;

  /** @param prefix - of all names of nodes: one for each function of a program */
  constructor(private readonly prefix: string) {}

  /**
   * Runs a function and records it.
   *
   * @throws Error if it uses a tensor from outside, reads a value, or records another function
   */
  run<T>(compute: () => T): T {
    if (current) throw new Error("Cannot record a function: another one is being recorded");
    const engine = backend();
    const { binding } = engine;
    const originals = { binding, getInputTensorIds: engine.getInputTensorIds, move: engine.move };
    this.intercepted ??= this.intercept(binding);
    engine.binding = this.intercepted;
    // Values written before the recording and not uploaded yet would become constants without a word.
    engine.getInputTensorIds = (tensors) => {
      const before = tensors.filter((tensor) => !this.writtenHere.has(tensor.dataId));
      engine.binding = binding;
      originals.getInputTensorIds.call(engine, before);
      engine.binding = intercepted;
      return originals.getInputTensorIds.call(engine, tensors);
    };
    engine.move = (dataId, ...rest) => {
      this.writtenHere.add(dataId);
      originals.move.call(engine, dataId, ...rest);
    };
    const intercepted = engine.binding;
    setCurrent(this);
    try {
      return compute();
    } finally {
      current = undefined;
      engine.binding = originals.binding;
      // Both are methods of the class: what was put over them goes.
      delete (engine as Partial<Backend>).getInputTensorIds;
      delete (engine as Partial<Backend>).move;
    }
  }

  /**
   * Makes a tensor one of the function's inputs; the graph has a placeholder for it.
   *
   * @param shape - of the placeholder; -1 where the size differs from run to run
   */
  addInput(name: string, tensor: tf.Tensor, shape: readonly number[] = tensor.shape): void {
    const dtype = typeNumbers[tensor.dtype]!;
    this.addNamed({ name, op: "Placeholder", inputs: [], attributes: { dtype: { type: dtype }, shape: { shape } } });
    this.types.set(name, dtype);
    this.claim(tensor, name, `the input ${name}`);
  }

  /** Multiplications of the largest convolution; 0 where there is none. */
  get largestConvolution(): number {
    return this.convolutionSize;
  }

  /** From here on, nodes belong to the next section of the function. */
  beginSection(): number {
    return ++this.section;
  }

  /** What a variable holds inside of the function; the first time that is its state before the step. */
  read(variable: Variable, outside: () => Held): Held {
    const known = this.assigned.get(variable) ?? this.held.get(variable);
    if (known) return known;
    const { tensor } = this.paused(outside);
    const node = this.add({
      op: "ReadVariableOp",
      inputs: [handleName(variable)],
      attributes: { dtype: { type: typeNumbers[variable.dtype]! } },
    });
    this.reads.set(variable, node);
    this.types.set(node, typeNumbers[variable.dtype]!);
    this.claim(tensor, node, `the variable ${variable.name}`);
    const held = { tensor, derived: new Map() };
    this.held.set(variable, held);
    return held;
  }

  assign(variable: Variable, next: Held): void {
    const before = this.assigned.get(variable);
    if (before && before.tensor !== next.tensor) release(before);
    this.assigned.set(variable, next);
  }

  /**
   * The output of the graph that gives a tensor. To be asked within `run`: a value that nothing has used yet becomes a
   * constant only now.
   *
   * @throws Error if the tensor is not of this function
   */
  sourceOf(tensor: tf.Tensor, use: string): string {
    const [id] = backend().getInputTensorIds([tensor]);
    const source = this.sources.get(id!);
    if (source === undefined) throw foreign(use, "it is neither an input nor computed in it");
    return source;
  }

  /** Frees what the run left: the values it assigned, and what was derived from those it read. */
  dispose(): void {
    const engine = backend();
    const { binding } = engine;
    // It knows which values are gone already.
    engine.binding = this.intercepted ?? binding;
    try {
      for (const held of this.assigned.values()) release(held);
      for (const { derived } of this.held.values()) for (const made of derived.values()) tf.dispose(made);
    } finally {
      engine.binding = binding;
    }
    this.assigned.clear();
    this.held.clear();
    for (const id of this.standIns.values()) binding.deleteTensor(id);
    this.standIns.clear();
  }

  private intercept(binding: TFJSBinding): TFJSBinding {
    const define = (name: keyof TFJSBinding, value: unknown) => ({ [name]: { value } });
    // The binding's own properties cannot be written.
    return Object.create(binding, {
      ...define("executeOp", (op: string, attributes: TFEOpAttr[], inputs: number[], count: number) => {
        const sources = inputs.map((id, index) => {
          const source = this.sources.get(id);
          if (source === undefined) {
            throw foreign(
              `${op}, input ${index}`,
              "it was made outside. Give it to the function as an input, or keep it in a Variable",
            );
          }
          return source;
        });
        const given = inputs.map((id) => this.standInFor(id, binding) ?? id);
        const outputs = binding.executeOp(op, attributes, given, count);
        const node = this.add({ op, inputs: sources, attributes: attributesOf(attributes, binding) });
        if (op === "Conv2D") this.noteConvolution(outputs[0]!.shape, this.shapes.get(inputs[1]!)!);
        outputs.forEach(({ id, shape, dtype }, index) => {
          const source = index === 0 ? node : `${node}:${index}`;
          this.sources.set(id, source);
          this.types.set(source, dtype);
          this.shapes.set(id, shape);
          if (!(dtype in arrayTypes) || sizeOf(shape) <= smallSize) return;
          this.freed.set(id, { shape, dtype });
          binding.deleteTensor(id);
        });
        return outputs;
      }),
      ...define("deleteTensor", (id: number) => {
        if (!this.freed.delete(id)) binding.deleteTensor(id);
      }),
      ...define("createTensor", (shape: number[], dtype: number, values: ArrayBufferView) => {
        const id = binding.createTensor(shape, dtype, values as Float32Array);
        if (!ArrayBuffer.isView(values)) throw new Error("Cannot record the function: it has a constant of text");
        const copy = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
        const attributes = { dtype: { type: dtype }, value: { tensor: { dtype, shape, bytes: copy } } };
        const node = this.add({ op: "Const", inputs: [], attributes });
        this.types.set(node, dtype);
        this.sources.set(id, node);
        this.shapes.set(id, shape);
        return id;
      }),
      ...define("tensorDataSync", () => {
        throw new Error(
          "Cannot record the function: it reads a value (dataSync, arraySync, data, print). What a step decides by a " +
            "value must be computed with tensors; what it reports must be one of its outputs",
        );
      }),
    }) as TFJSBinding;
  }

  /** A tensor of zeros in place of a result whose values were freed; undefined where they were not. */
  private standInFor(id: number, binding: TFJSBinding): number | undefined {
    const result = this.freed.get(id);
    if (result === undefined) return undefined;
    const { shape, dtype } = result;
    const key = `${dtype}: ${shape.join()}`;
    let standIn = this.standIns.get(key);
    if (standIn === undefined) {
      const zeros = new arrayTypes[dtype]!(sizeOf(shape));
      this.standIns.set(key, (standIn = binding.createTensor([...shape], dtype, zeros as Float32Array)));
    }
    return standIn;
  }

  /** Runs something that is no part of the function. */
  private paused<T>(action: () => T): T {
    if (current !== this) return action();
    const engine = backend();
    const intercepted = engine.binding;
    current = undefined;
    engine.binding = Object.getPrototypeOf(intercepted) as TFJSBinding;
    try {
      return action();
    } finally {
      setCurrent(this);
      engine.binding = intercepted;
    }
  }

  private claim(tensor: tf.Tensor, node: string, owner: string): void {
    const [id] = this.paused(() => backend().getInputTensorIds([tensor]));
    const other = this.owners.get(id!);
    if (other !== undefined) {
      throw new Error(
        `Cannot record the function: ${owner} and ${other} share one tensor. tf.clone copies nothing; copyTensor does`,
      );
    }
    this.owners.set(id!, owner);
    this.sources.set(id!, node);
    this.shapes.set(id!, tensor.shape);
  }

  private noteConvolution(result: readonly number[], [height, width, channels]: readonly number[]): void {
    const products = sizeOf(result) * height! * width! * channels!;
    this.convolutionSize = Math.max(this.convolutionSize, products);
  }

  private add(node: Omit<GraphNode, "name">): string {
    const name = `${this.prefix}${this.nodes.length}`;
    this.addNamed({ ...node, name });
    return name;
  }

  private addNamed(node: GraphNode): void {
    this.nodes.push(node);
    this.sections.set(node.name, this.section);
  }
}

/** Arrays of JavaScript by TensorFlow's numbers of types. */
const arrayTypes: Readonly<Record<number, new (length: number) => Float32Array | Int32Array | Uint8Array>> = {
  1: Float32Array,
  3: Int32Array,
  10: Uint8Array,
};

function sizeOf(shape: readonly number[]): number {
  return tf.util.sizeFromShape([...shape]);
}

/** A tensor of the same values that is another one to the engine, where `tf.clone` only gives it another name. */
export function copyTensor<T extends tf.Tensor>(tensor: T): T {
  return tf.tidy(() => tf.mul<T>(tensor, tf.scalar(1, tensor.dtype)));
}

const handles = new WeakMap<Variable, string>();
let handleCount = 0;

/** The node that stands for a variable in every graph. */
export function handleName(variable: Variable): string {
  let name = handles.get(variable);
  if (name === undefined) handles.set(variable, (name = `variable${handleCount++}`));
  return name;
}

function foreign(use: string, what: string): Error {
  return new Error(`Cannot record the function: the tensor of ${use} is not part of it; ${what}`);
}

function attributesOf(attributes: readonly TFEOpAttr[], binding: TFJSBinding): GraphNode["attributes"] {
  return Object.fromEntries(
    attributes.map(({ name, type, value }): [string, NodeAttribute] => {
      switch (type) {
        case binding.TF_ATTR_TYPE:
          return [name, { type: value as number }];
        case binding.TF_ATTR_INT:
          return [name, { int: value as number | number[] }];
        case binding.TF_ATTR_FLOAT:
          return [name, { float: value as number | number[] }];
        case binding.TF_ATTR_BOOL:
          return [name, { bool: value as boolean }];
        case binding.TF_ATTR_STRING:
          return [name, { text: value as string }];
        case binding.TF_ATTR_SHAPE:
          return [name, { shape: value as number[] }];
        default:
          throw new Error(`Cannot record the function: the attribute ${name} is of a type that is not known, ${type}`);
      }
    }),
  );
}
