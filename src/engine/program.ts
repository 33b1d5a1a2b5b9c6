import { loadGraph, type GraphNode } from "./graph-definition";
import { backend, handleName, Recording, typeNumbers } from "./recording";
import { tf } from "./tf";
import type { Variable, VariableHome } from "./variable";

/** Shape and type of an input. */
export interface InputSpec {
  readonly shape: readonly number[];
  /** @default "float32" */
  readonly dtype?: "float32" | "int32";
}

/** Tensors by name. */
export type NamedTensors = Readonly<Record<string, tf.Tensor>>;

/** A function of tensors: what goes in, and what it computes of it. Variables that it reads and assigns are its state. */
export interface TensorFunction<Outputs extends NamedTensors = NamedTensors> {
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** Must do the same whatever the values are: a number of JavaScript stays as it was when the function was recorded. */
  readonly compute: (inputs: NamedTensors) => Outputs;
}

type OutputsOf<F> = F extends TensorFunction<infer Outputs> ? Outputs : never;

/** Set to 1, functions run operation by operation instead of being recorded: slower, and each operation can be looked at. */
const opByOpVariable = "MOCO_OP_BY_OP";

/**
 * Functions of tensors that share state, each recorded once as a TensorFlow graph and then run as one call.
 *
 * A training step is some thousand kernel calls; through the binding, one by one, they take longer than the kernels
 * themselves. Recorded, TensorFlow runs them from one call, several at a time where cores are free, and the state (weights,
 * velocities, a queue) stays in the session on the device. Owns the session: call `dispose`; variables stay their owners'.
 *
 * @throws Error if a function uses a tensor from outside that is no variable, reads a value, or two variables share a tensor
 */
export function createProgram<Functions extends Readonly<Record<string, TensorFunction>>>(
  functions: Functions,
): Program<Functions> {
  return new Program(functions);
}

/** See {@link createProgram}. */
export class Program<Functions extends Readonly<Record<string, TensorFunction>>> {
  private readonly session: Session | undefined;
  private disposed = false;

  constructor(private readonly functions: Functions) {
    if (process.env[opByOpVariable] === "1") return;
    const recorded = new Map<string, RecordedFunction>();
    Object.entries(functions).forEach(([name, one], index) => recorded.set(name, recordFunction(one, `f${index}_`)));
    this.session = new Session(recorded);
  }

  /**
   * Runs one of the functions; its variables have their new values afterwards.
   *
   * @param inputs - of the shapes and types that the function was recorded with; they stay the caller's
   * @returns the function's outputs, which the caller disposes
   * @throws Error if an input is missing or another shape or type, or after `dispose`
   */
  run<Name extends keyof Functions & string>(name: Name, inputs: NamedTensors): OutputsOf<Functions[Name]> {
    if (this.disposed) throw new Error(`Cannot run ${name}: the program was disposed`);
    const { inputs: specs, compute } = this.functions[name]!;
    assertInputsFit(name, specs, inputs);
    const outputs = this.session?.run(name, inputs) ?? tf.tidy(() => separate(compute(inputs), inputs));
    return outputs as OutputsOf<Functions[Name]>;
  }

  /** Every operation of a function's graph, in the order of recording; empty if it runs operation by operation. */
  operations(name: keyof Functions & string): readonly GraphNode[] {
    return this.session?.nodesOf(name) ?? [];
  }

  /** How many values of variables were copied into the session or out of it so far; none while it runs operation by operation. */
  get copies(): number {
    return this.session?.copies ?? 0;
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.session?.dispose();
  }
}

interface RecordedFunction {
  readonly nodes: readonly GraphNode[];
  /** Names of the placeholders by those of the inputs. */
  readonly placeholders: ReadonlyMap<string, string>;
  /** Where the outputs come from, by their names. */
  readonly outputs: ReadonlyMap<string, string>;
  readonly reads: ReadonlyMap<Variable, string>;
  readonly assigned: readonly Variable[];
  /** Fetched with each run: stands for all assignments. */
  readonly done: string;
}

function recordFunction({ inputs: specs, compute }: TensorFunction, prefix: string): RecordedFunction {
  const recording = new Recording(prefix);
  const examples = Object.entries(specs).map(([name, { shape, dtype = "float32" }]) => {
    // Not tf.zeros: its values would be uploaded when they are used first, and be a constant.
    return [name, tf.tidy(() => tf.zeros([...shape], dtype))] as const;
  });
  try {
    const placeholders = new Map(examples.map(([name]) => [name, `${prefix}${name}`]));
    for (const [name, tensor] of examples) recording.addInput(placeholders.get(name)!, tensor);
    const outputs = new Map<string, string>();
    const next = new Map<Variable, string>();
    recording.run(() => {
      tf.tidy(() => {
        for (const [name, tensor] of Object.entries(compute(Object.fromEntries(examples)))) {
          outputs.set(name, recording.sourceOf(tensor, `the output ${name}`));
        }
        for (const [variable, { tensor }] of recording.assigned) {
          next.set(variable, recording.sourceOf(tensor, `the variable ${variable.name}`));
        }
      });
    });
    const assignments = [...next].map(([variable, source], index) =>
      assignment(`${prefix}assign${index}`, variable, source, [
        // A step reads its state as it was before; nothing else would say so.
        ...(recording.reads.has(variable) ? [`^${recording.reads.get(variable)!}`] : []),
      ]),
    );
    const done = `${prefix}done`;
    return {
      nodes: [
        ...recording.nodes,
        ...assignments,
        ...afterAll(
          done,
          assignments.map(({ name }) => name),
        ),
      ],
      placeholders,
      outputs,
      reads: recording.reads,
      assigned: [...recording.assigned.keys()],
      done,
    };
  } finally {
    recording.dispose();
    for (const [, tensor] of examples) tensor.dispose();
  }
}

/** The functions of a program as one session of TensorFlow, and the variables that it holds. */
class Session implements VariableHome {
  private readonly id: number;
  /** The variables, and which of their values the session has; undefined before it has any. */
  private readonly held = new Map<Variable, number | undefined>();
  copies = 0;

  constructor(private readonly functions: ReadonlyMap<string, RecordedFunction>) {
    for (const { reads, assigned } of functions.values()) {
      for (const variable of [...reads.keys(), ...assigned]) this.held.set(variable, undefined);
    }
    const nodes = [...functions.values()].flatMap((one) => one.nodes);
    this.id = loadGraph(backend().binding, [...[...this.held.keys()].flatMap(variableNodes), ...nodes]);
  }

  nodesOf(name: string): readonly GraphNode[] {
    return this.functions.get(name)!.nodes;
  }

  run(name: string, inputs: NamedTensors): NamedTensors {
    const { placeholders, outputs, reads, assigned, done } = this.functions.get(name)!;
    this.bringIn([...reads.keys()]);
    const given = [...placeholders].map(([input, placeholder]) => [placeholder, inputs[input]!] as const);
    const results = this.fetch(given, [...outputs.values(), done]);
    results.pop()!.dispose();
    for (const variable of assigned) {
      variable.movedTo(this);
      this.held.set(variable, variable.version);
    }
    return Object.fromEntries([...outputs.keys()].map((output, index) => [output, results[index]!]));
  }

  read(variable: Variable): tf.Tensor {
    this.copies++;
    return this.fetch([], [`${handleName(variable)}_value`])[0]!;
  }

  dispose(): void {
    for (const variable of this.held.keys()) variable.leave(this);
    backend().binding.deleteSavedModel(this.id);
  }

  /** Puts values of variables into the session where it has not the newest. */
  private bringIn(variables: readonly Variable[]): void {
    const old = variables.filter((variable) => this.held.get(variable) !== variable.version);
    if (old.length === 0) return;
    this.copies += old.length;
    const given = old.map((variable) => [`${handleName(variable)}_next`, variable.value] as const);
    const done = old.map((variable) => `${handleName(variable)}_set`);
    tf.dispose(this.fetch(given, done));
    for (const variable of old) this.held.set(variable, variable.version);
  }

  private fetch(given: readonly (readonly [string, tf.Tensor])[], names: readonly string[]): tf.Tensor[] {
    const engine = backend();
    const ids = engine.getInputTensorIds(given.map(([, tensor]) => tensor));
    const feeds = given.map(([name]) => `${name}:0`).join(",");
    const fetches = names.map((name) => (name.includes(":") ? name : `${name}:0`)).join(",");
    return engine.binding.runSavedModel(this.id, ids, feeds, fetches).map((one) => engine.createOutputTensor(one));
  }
}

/** What every graph has of a variable: its place, how it is read, and how it is set from outside. */
function variableNodes(variable: Variable): GraphNode[] {
  const name = handleName(variable);
  const dtype = { type: typeNumbers[variable.dtype]! };
  return [
    {
      name,
      op: "VarHandleOp",
      inputs: [],
      attributes: { dtype, shape: { shape: variable.shape }, shared_name: { text: name }, container: { text: "" } },
    },
    { name: `${name}_value`, op: "ReadVariableOp", inputs: [name], attributes: { dtype } },
    {
      name: `${name}_next`,
      op: "Placeholder",
      inputs: [],
      attributes: { dtype, shape: { shape: variable.shape } },
    },
    assignment(`${name}_assign`, variable, `${name}_next`, []),
    ...afterAll(`${name}_set`, [`${name}_assign`]),
  ];
}

function assignment(name: string, variable: Variable, source: string, after: readonly string[]): GraphNode {
  const attributes = { dtype: { type: typeNumbers[variable.dtype]! } };
  return { name, op: "AssignVariableOp", inputs: [handleName(variable), source, ...after], attributes };
}

/** A value to fetch that is there when some operations have run: the binding fetches values only. */
function afterAll(name: string, operations: readonly string[]): GraphNode[] {
  const dtype = { type: typeNumbers["float32"]! };
  const value = { tensor: { dtype: dtype.type, shape: [], bytes: new Uint8Array(4) } };
  return [
    { name: `${name}_constant`, op: "Const", inputs: [], attributes: { dtype, value } },
    {
      name,
      op: "Identity",
      inputs: [`${name}_constant`, ...operations.map((operation) => `^${operation}`)],
      attributes: { T: dtype },
    },
  ];
}

function assertInputsFit(name: string, specs: TensorFunction["inputs"], inputs: NamedTensors): void {
  const describe = (dtype: string, shape: readonly number[]) => `${dtype} [${shape.join(", ")}]`;
  for (const [input, { shape, dtype = "float32" }] of Object.entries(specs)) {
    const given = inputs[input];
    if (given === undefined) throw new Error(`Cannot run ${name}: its input ${input} is missing`);
    if (given.dtype !== dtype || given.shape.join() !== shape.join()) {
      throw new Error(
        `Cannot run ${name}: its input ${input} was recorded as ${describe(dtype, shape)}, ` +
          `given is ${describe(given.dtype, given.shape)}`,
      );
    }
  }
  const unknown = Object.keys(inputs).find((input) => !(input in specs));
  if (unknown !== undefined) throw new Error(`Cannot run ${name}: it has no input ${unknown}`);
}

/** Outputs that are inputs passed on get a name of their own, so that the caller can dispose both. */
function separate(outputs: NamedTensors, inputs: NamedTensors): NamedTensors {
  const given = new Set(Object.values(inputs));
  return Object.fromEntries(
    Object.entries(outputs).map(([name, tensor]) => [name, given.has(tensor) ? tf.clone(tensor) : tensor]),
  );
}
