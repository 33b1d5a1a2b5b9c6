import { exampleSizes, withDimensions, type Dimension, type RecordedGraph } from "./dimensions";
import type { GraphNode } from "./graph-definition";
import { handleName, Recording, typeNumbers } from "./recording";
import { cutIntoSections } from "./sections";
import type { NamedTensors, Pause, TensorFunction } from "./tensor-function";
import { tf } from "./tf";
import type { Variable } from "./variable";

/** A function as TensorFlow runs it. */
export interface RecordedFunction {
  readonly nodes: readonly GraphNode[];
  /** Up to each pause, and the last. */
  readonly sections: readonly RecordedSection[];
  /** To be fetched where a decision fails: throws away what waits at that pause. */
  readonly clears: readonly string[];
  readonly reads: ReadonlyMap<Variable, string>;
  readonly assigned: readonly Variable[];
  /** Multiplications of the largest convolution. */
  readonly largestConvolution: number;
}

interface RecordedSection {
  /** That it ends at; undefined for the last. */
  readonly pause: string | undefined;
  /** Names of the placeholders by those of the inputs. */
  readonly placeholders: ReadonlyMap<string, string>;
  /** Where the outputs come from, or at a pause what is handed out, by their names. */
  readonly outputs: ReadonlyMap<string, string>;
  /** Fetched with each run: stands for all assignments, or at a pause for what waits. */
  readonly done: string;
}

/**
 * Records a function: once, and a second time with other sizes where it has named dimensions.
 *
 * @param prefix - of all names of nodes
 */
export function recordFunction(one: TensorFunction, prefix: string): RecordedFunction {
  const pauses = Object.entries(one.pauses ?? {});
  const inputs = [one.inputs, ...pauses.map(([, specs]) => specs)].flatMap((specs) => Object.entries(specs));
  const dimensions = new Map<string, Dimension>();
  for (const [input, { shape }] of inputs) {
    shape.forEach((size, axis) => {
      if (typeof size === "number" || dimensions.has(size)) return;
      dimensions.set(size, { sizes: exampleSizes(dimensions.size), placeholder: prefix + input, axis });
    });
  }
  const record = (which: 0 | 1) => recordOnce(one, prefix, (dimension) => dimensions.get(dimension)!.sizes[which]);
  const { graph, handedOut, next, reads, largestConvolution } = record(0);
  const whole = dimensions.size === 0 ? graph : withDimensions(graph, record(1).graph, [...dimensions.values()]);
  const last = pauses.length;
  const wanted = [
    ...handedOut.flatMap((values, section) => [...values.values()].map((value) => ({ section, value }))),
    ...[...next.values()].map((value) => ({ section: last, value })),
  ];
  const { nodes, valueIn, stages, clears } = cutIntoSections(whole, last + 1, wanted, prefix);
  const assignments = [...next].map(([variable, source], index) => {
    const read = reads.get(variable);
    return assignment(`${prefix}assign${index}`, variable, valueIn(last, source), [
      // A step reads its state as it was before; nothing else would say so.
      ...(read !== undefined && whole.sections.get(read) === last ? [`^${read}`] : []),
    ]);
  });
  const placeholdersOf = (specs: TensorFunction["inputs"]) =>
    new Map(Object.keys(specs).map((input) => [input, prefix + input]));
  const ends = handedOut.map((values, section) => {
    const done = `${prefix}done${section}`;
    const operations = section === last ? assignments.map(({ name }) => name) : [stages[section]!];
    return {
      nodes: afterAll(done, operations),
      section: {
        pause: pauses[section]?.[0],
        placeholders: placeholdersOf(section === 0 ? one.inputs : pauses[section - 1]![1]),
        outputs: new Map([...values].map(([name, value]) => [name, valueIn(section, value)])),
        done,
      },
    };
  });
  const cleared = clears.map((clear) => ({ name: `${clear}ed`, nodes: afterAll(`${clear}ed`, [clear]) }));
  return {
    nodes: [...nodes, ...assignments, ...[...ends, ...cleared].flatMap((end) => end.nodes)],
    sections: ends.map(({ section }) => section),
    clears: cleared.map(({ name }) => name),
    reads,
    assigned: [...next.keys()],
    largestConvolution,
  };
}

interface Recorded {
  readonly graph: RecordedGraph;
  /** What is handed out at each pause, and at the end the outputs: the values by their names. */
  readonly handedOut: readonly ReadonlyMap<string, string>[];
  /** The new values of variables. */
  readonly next: ReadonlyMap<Variable, string>;
  readonly reads: ReadonlyMap<Variable, string>;
  readonly largestConvolution: number;
}

function recordOnce(
  { inputs, pauses = {}, compute }: TensorFunction,
  prefix: string,
  sizeOf: (dimension: string) => number,
): Recorded {
  const recording = new Recording(prefix);
  const specs = Object.entries(Object.assign({}, inputs, ...Object.values(pauses)) as TensorFunction["inputs"]);
  const examples = new Map(
    specs.map(([name, { shape, dtype = "float32" }]) => {
      const sizes = shape.map((size) => (typeof size === "string" ? sizeOf(size) : size));
      return [name, tf.tidy(() => tf.zeros(sizes, dtype))];
    }),
  );
  const enter = (some: TensorFunction["inputs"]): NamedTensors =>
    Object.fromEntries(
      Object.entries(some).map(([name, { shape }]) => {
        const placeholder = shape.map((size) => (typeof size === "string" ? -1 : size));
        recording.addInput(prefix + name, examples.get(name)!, placeholder);
        return [name, examples.get(name)!];
      }),
    );
  const handedOut: Map<string, string>[] = [];
  const handOut = (values: NamedTensors, what: string) =>
    handedOut.push(
      new Map(Object.entries(values).map(([name, value]) => [name, recording.sourceOf(value, `${what} ${name}`)])),
    );
  const names = Object.keys(pauses);
  const pause: Pause = (name, values) => {
    const expected = names[handedOut.length];
    if (name !== expected) {
      throw new Error(`Cannot record the function: it pauses for ${name}, and should for ${expected ?? "nothing"}`);
    }
    handOut(values, "the value handed out,");
    recording.beginSection();
    return enter(pauses[name]!);
  };
  const next = new Map<Variable, string>();
  try {
    const first = enter(inputs);
    recording.run(() => {
      tf.tidy(() => {
        handOut(compute(first, pause), "the output");
        for (const [variable, { tensor }] of recording.assigned) {
          next.set(variable, recording.sourceOf(tensor, `the variable ${variable.name}`));
        }
      });
    });
    if (handedOut.length <= names.length) {
      throw new Error(`Cannot record the function: it does not pause for ${names[handedOut.length - 1]}`);
    }
    return {
      graph: recording,
      handedOut,
      next,
      reads: recording.reads,
      largestConvolution: recording.largestConvolution,
    };
  } finally {
    recording.dispose();
    for (const example of examples.values()) example.dispose();
  }
}

/** What every graph has of a variable: its place, how it is read, and how it is set from outside. */
export function variableNodes(variable: Variable): GraphNode[] {
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
