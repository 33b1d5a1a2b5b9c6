import { isDeepStrictEqual } from "node:util";
import type { GraphNode } from "./graph-definition";

/** A graph, and what is known of its values beside it. */
export interface RecordedGraph {
  readonly nodes: readonly GraphNode[];
  /** TensorFlow's number of the type of each value, by "name" or "name:output". */
  readonly types: ReadonlyMap<string, number>;
  /** How many pauses come before each node. */
  readonly sections: ReadonlyMap<string, number>;
}

/** A dimension whose size differs from run to run. */
export interface Dimension {
  /** What it was in each of the two recordings. */
  readonly sizes: readonly [number, number];
  /** Where a run reads its size: the name of a placeholder, and which of its axes. */
  readonly placeholder: string;
  readonly axis: number;
}

/**
 * Sizes to record a function with, twice. No two dimensions grow by the same ratio from the first to the second, so that a
 * number of the graph that grows tells by which dimension.
 *
 * @param index - of the dimension among those of the function
 */
export function exampleSizes(index: number): readonly [number, number] {
  return [index + 2, index + 3];
}

/**
 * One graph for all sizes, out of two that were recorded with different ones.
 *
 * Sizes come into a graph as constants: what a tensor is reshaped to, how many ones there are, what a mean is divided by.
 * Numbers in which the two graphs differ are multiples of one dimension; what computes them takes their place.
 *
 * @throws Error if the two differ in anything else: the function does not do the same for all sizes
 */
export function withDimensions(
  first: RecordedGraph,
  second: RecordedGraph,
  dimensions: readonly Dimension[],
): RecordedGraph {
  if (first.nodes.length !== second.nodes.length) throw dependent("how many operations it has");
  const [nodes, types, sections] = [[] as GraphNode[], new Map(first.types), new Map(first.sections)];
  first.nodes.forEach((node, index) => {
    const other = second.nodes[index]!;
    const section = first.sections.get(node.name)!;
    const add = ({ type, ...added }: TypedNode) => {
      nodes.push(added);
      types.set(added.name, type);
      sections.set(added.name, section);
    };
    if (node.op !== other.op || node.inputs.join() !== other.inputs.join()) throw dependent(`its operation ${node.op}`);
    if (isDeepStrictEqual(node.attributes, other.attributes)) nodes.push(node);
    else if (node.op === "Const") growing(node.name, constantOf(node), constantOf(other), dimensions).forEach(add);
    else throw dependent(`an attribute of ${node.op}`);
    for (const one of dimensions)
      if (one.placeholder === node.name) sizeNodes(one, first.types.get(node.name)!).forEach(add);
  });
  return { nodes, types, sections };
}

const [float32, int32] = [1, 3];

/** A node with the type of its value. */
interface TypedNode extends GraphNode {
  readonly type: number;
}

interface Constant {
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

function constantOf(node: GraphNode): Constant {
  return (node.attributes["value"] as { readonly tensor: Constant }).tensor;
}

/** What computes a constant that grows with dimensions. */
function growing(name: string, first: Constant, second: Constant, dimensions: readonly Dimension[]): TypedNode[] {
  const [before, after] = [numbersOf(first), numbersOf(second)];
  if (isDeepStrictEqual(first.shape, second.shape)) return multiples(name, first, before, after, dimensions);
  // As many numbers as a dimension is large: all the same, or nobody knows what more of them would be.
  const [value, ...others] = new Set([...before, ...after]);
  if (value === undefined || others.length > 0) throw dependent("a constant of several numbers");
  const { dtype } = first;
  const shape = { dtype: int32, shape: [first.shape.length] };
  return [
    ...multiples(`${name}_shape`, shape, first.shape, second.shape, dimensions),
    constant(`${name}_value`, dtype, [], [value]),
    {
      name,
      op: "Fill",
      inputs: [`${name}_shape`, `${name}_value`],
      attributes: { T: { type: dtype }, index_type: { type: int32 } },
      type: dtype,
    },
  ];
}

/** Numbers that stay, and numbers that are multiples of dimensions: base + factors * size + factors * size ... */
function multiples(
  name: string,
  { dtype, shape }: Pick<Constant, "dtype" | "shape">,
  before: readonly number[],
  after: readonly number[],
  dimensions: readonly Dimension[],
): TypedNode[] {
  const factors = new Map<Dimension, number[]>();
  const base = before.map((value, at) => {
    if (value === after[at]) return value;
    const grown = dimensions.find(({ sizes: [from, to] }) => value % from === 0 && value * to === after[at]! * from);
    if (grown === undefined) throw dependent("a number that is no multiple of one dimension");
    const own = factors.get(grown) ?? before.map(() => 0);
    factors.set(grown, own);
    own[at] = value / grown.sizes[0];
    return 0;
  });
  const T = { T: { type: dtype } };
  const nodes = [constant(`${name}_base`, dtype, shape, base)];
  [...factors].forEach(([dimension, own], index) => {
    const last = nodes.at(-1)!.name;
    const [factor, size, part] = [`${name}_factor${index}`, `${name}_size${index}`, `${name}_part${index}`];
    const casting = { SrcT: { type: int32 }, DstT: { type: dtype }, Truncate: { bool: false } };
    const sum = index === factors.size - 1 ? name : `${name}_sum${index}`;
    nodes.push(
      constant(factor, dtype, shape, own),
      { name: size, op: "Cast", inputs: [sizeName(dimension)], attributes: casting, type: dtype },
      { name: part, op: "Mul", inputs: [factor, size], attributes: T, type: dtype },
      { name: sum, op: "AddV2", inputs: [last, part], attributes: T, type: dtype },
    );
  });
  return nodes;
}

const sizeName = ({ placeholder, axis }: Dimension) => `${placeholder}_size${axis}`;

/** Reads the size of a dimension: one number of the shape of a placeholder. */
function sizeNodes(dimension: Dimension, type: number): TypedNode[] {
  const { placeholder, axis } = dimension;
  const name = sizeName(dimension);
  const [shape, begin, end, step] = ["shape", "begin", "end", "step"].map((part) => `${name}_${part}`) as [
    string,
    string,
    string,
    string,
  ];
  const masks = ["begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask"].map((mask) => [mask, { int: 0 }] as const);
  return [
    {
      name: shape,
      op: "Shape",
      inputs: [placeholder],
      attributes: { T: { type }, out_type: { type: int32 } },
      type: int32,
    },
    constant(begin, int32, [1], [axis]),
    constant(end, int32, [1], [axis + 1]),
    constant(step, int32, [1], [1]),
    {
      name,
      op: "StridedSlice",
      inputs: [shape, begin, end, step],
      attributes: {
        T: { type: int32 },
        Index: { type: int32 },
        ...Object.fromEntries(masks),
        shrink_axis_mask: { int: 1 },
      },
      type: int32,
    },
  ];
}

function constant(name: string, dtype: number, shape: readonly number[], numbers: readonly number[]): TypedNode {
  const values = dtype === int32 ? Int32Array.from(numbers) : Float32Array.from(numbers);
  const attributes = {
    dtype: { type: dtype },
    value: { tensor: { dtype, shape, bytes: new Uint8Array(values.buffer) } },
  };
  return { name, op: "Const", inputs: [], attributes, type: dtype };
}

function numbersOf({ dtype, bytes }: Constant): readonly number[] {
  if (dtype !== float32 && dtype !== int32) throw dependent("a constant that is neither of float32 nor of int32");
  const { buffer } = bytes.slice();
  return Array.from(dtype === int32 ? new Int32Array(buffer) : new Float32Array(buffer));
}

function dependent(what: string): Error {
  return new Error(`Cannot record the function for all sizes of its named dimensions: ${what} depends on a size`);
}
