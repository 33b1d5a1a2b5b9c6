import { loadGraph, type GraphNode } from "./graph-definition";
import { recordFunction, variableNodes, type RecordedFunction } from "./record-function";
import { backend, handleName } from "./recording";
import { threadsOf, withSessionThreads } from "./session-threads";
import type { Decisions, InputSpec, NamedTensors, Pause, TensorFunction } from "./tensor-function";
import { tf } from "./tf";
import type { Variable, VariableHome } from "./variable";

type OutputsOf<F> = F extends TensorFunction<infer Outputs> ? Outputs : never;

/** Set to 1, functions run operation by operation instead of being recorded: slower, and each operation can be looked at. */
const opByOpVariable = "MOCO_OP_BY_OP";

export interface ProgramOptions {
  /**
   * How many operations of a function can run at the same time, as a training step's can: gradients by a layer's input and by
   * its weights need nothing of each other. Where they are small, each has its share of the cores. @default 1
   */
  readonly atOnce?: number;
}

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
  options: ProgramOptions = {},
): Program<Functions> {
  return new Program(functions, options);
}

/** See {@link createProgram}. */
export class Program<Functions extends Readonly<Record<string, TensorFunction>>> {
  private readonly session: Session | undefined;
  private disposed = false;

  constructor(
    private readonly functions: Functions,
    { atOnce = 1 }: ProgramOptions,
  ) {
    if (process.env[opByOpVariable] === "1") return;
    const recorded = Object.entries(functions).map(
      ([name, one], index) => [name, recordFunction(one, `f${index}_`)] as const,
    );
    this.session = new Session(new Map(recorded), atOnce);
  }

  /**
   * Runs one of the functions; its variables have their new values afterwards.
   *
   * @param inputs - of the shapes and types that the function was recorded with; they stay the caller's
   * @param decisions - one for each pause
   * @returns the function's outputs, which the caller disposes
   * @throws Error if an input is missing or another shape or type, or after `dispose`; and what a decision throws: the
   * variables stay as they were then
   */
  run<Name extends keyof Functions & string>(
    name: Name,
    inputs: NamedTensors,
    decisions: Decisions = {},
  ): OutputsOf<Functions[Name]> {
    if (this.disposed) throw new Error(`Cannot run ${name}: the program was disposed`);
    const one = this.functions[name]!;
    const outputs = this.session
      ? this.session.run(name, inputs, assertFits(one, inputs, decisions, name))
      : runOpByOp(one, inputs, decisions, name);
    return outputs as OutputsOf<Functions[Name]>;
  }

  /** Whether it has a function of that name. */
  has(name: string): boolean {
    return name in this.functions;
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

/** The functions of a program as one session of TensorFlow, and the variables that it holds. */
class Session implements VariableHome {
  private readonly id: number;
  /** The variables, and which of their values the session has; undefined before it has any. */
  private readonly held = new Map<Variable, number | undefined>();
  copies = 0;

  constructor(
    private readonly functions: ReadonlyMap<string, RecordedFunction>,
    atOnce: number,
  ) {
    for (const { reads, assigned } of functions.values()) {
      for (const variable of [...reads.keys(), ...assigned]) this.held.set(variable, undefined);
    }
    const all = [...functions.values()];
    const nodes = [...[...this.held.keys()].flatMap(variableNodes), ...all.flatMap((one) => one.nodes)];
    const threads = threadsOf({ atOnce, largestConvolution: Math.max(...all.map((one) => one.largestConvolution)) });
    this.id = withSessionThreads(threads, () => loadGraph(backend().binding, nodes));
  }

  nodesOf(name: string): readonly GraphNode[] {
    return this.functions.get(name)!.nodes;
  }

  run(name: string, inputs: NamedTensors, decide: Pause): NamedTensors {
    const { sections, clears, reads, assigned } = this.functions.get(name)!;
    this.bringIn([...reads.keys()]);
    let given = inputs;
    for (const [index, { pause, placeholders, outputs, done }] of sections.entries()) {
      const feeds = [...placeholders].map(([input, placeholder]) => [placeholder, given[input]!] as const);
      let results: NamedTensors;
      try {
        const fetched = this.fetch(feeds, [...outputs.values(), done]);
        fetched.pop()!.dispose();
        results = Object.fromEntries([...outputs.keys()].map((output, at) => [output, fetched[at]!]));
      } finally {
        if (index > 0) tf.dispose({ ...given });
      }
      if (pause === undefined) {
        for (const variable of assigned) {
          variable.movedTo(this);
          this.held.set(variable, variable.version);
        }
        return results;
      }
      try {
        given = decide(pause, results);
      } catch (error) {
        tf.dispose(this.fetch([], [clears[index]!]));
        throw error;
      } finally {
        tf.dispose({ ...results });
      }
    }
    throw new Error(`Cannot run ${name}: it has no last section`);
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

/**
 * Runs a function of tensors once, operation by operation, as it is written.
 *
 * @param name - for messages
 * @returns as {@link Program.run}
 * @throws what {@link Program.run} throws
 */
export function runOpByOp(
  one: TensorFunction,
  inputs: NamedTensors,
  decisions: Decisions = {},
  name = "the function",
): NamedTensors {
  const pause = assertFits(one, inputs, decisions, name);
  return tf.tidy(() => separate(one.compute(inputs, pause), inputs));
}

/** Checks the inputs, and at each pause those that were decided. */
function assertFits(
  { inputs: specs, pauses = {} }: TensorFunction,
  inputs: NamedTensors,
  decisions: Decisions,
  name: string,
): Pause {
  const sizes = new Map<string, number>();
  assertInputsFit(name, specs, inputs, sizes);
  return (pause, values) => {
    const decision = decisions[pause];
    if (decision === undefined) throw new Error(`Cannot run ${name}: nothing decides at its pause ${pause}`);
    const decided = decision(values);
    try {
      assertInputsFit(name, pauses[pause] ?? {}, decided, sizes);
    } catch (error) {
      tf.dispose({ ...decided });
      throw error;
    }
    return decided;
  };
}

/** @param sizes - of the named dimensions as far as they are known; what the inputs say of others is added */
function assertInputsFit(
  name: string,
  specs: TensorFunction["inputs"],
  inputs: NamedTensors,
  sizes: Map<string, number>,
): void {
  const describe = (dtype: string, shape: InputSpec["shape"]) => `${dtype} [${shape.join(", ")}]`;
  for (const [input, { shape, dtype = "float32" }] of Object.entries(specs)) {
    const given = inputs[input];
    if (given === undefined) throw new Error(`Cannot run ${name}: its input ${input} is missing`);
    const fits = (size: number | string, axis: number) => {
      if (typeof size === "string" && !sizes.has(size)) sizes.set(size, given.shape[axis]!);
      return given.shape[axis] === (typeof size === "string" ? sizes.get(size) : size);
    };
    if (given.dtype !== dtype || given.shape.length !== shape.length || !shape.every(fits)) {
      const known = [...sizes].filter(([dimension]) => shape.includes(dimension));
      const where = known.map(([dimension, size]) => `, where ${dimension} is ${size}`).join("");
      throw new Error(
        `Cannot run ${name}: its input ${input} was recorded as ${describe(dtype, shape)}${where}, ` +
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
