import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding";
import { writeFailure } from "../files/write-failure";

type NumbersAttribute =
  | { readonly type: number | readonly number[] }
  | { readonly int: number | readonly number[] }
  | { readonly float: number | readonly number[] };

/** An attribute of a node, by TensorFlow's kinds. */
export type NodeAttribute =
  | NumbersAttribute
  | { readonly bool: boolean }
  | { readonly text: string }
  | { readonly shape: readonly number[] }
  | { readonly tensor: { readonly dtype: number; readonly shape: readonly number[]; readonly bytes: Uint8Array } };

/** One operation of a graph. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** "name" or "name:output" for a value, "^name" for what has to run before. */
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, NodeAttribute>>;
}

/** The version of GraphDef that the nodes follow; of 2025, so that no old meaning of an operation is assumed. */
const producer = 2000;

/**
 * Makes a session of a graph. TensorFlow's binding loads graphs from a folder only: one is written, read and removed.
 *
 * @returns the session's number in the binding
 * @throws Error with TensorFlow's message, InputError where temporary files cannot be written
 */
export function loadGraph(binding: TFJSBinding, nodes: readonly GraphNode[]): number {
  const bytes = encode(nodes);
  const place = join(tmpdir(), "moco-kit-graph-");
  let folder: string | undefined;
  try {
    folder = mkdtempSync(place);
    writeFileSync(join(folder, "saved_model.pb"), bytes);
    return binding.loadSavedModel(folder, "serve");
  } catch (error) {
    throw writeFailure(
      `${place}*/saved_model.pb`,
      error,
      bytes.length,
      "A training step is recorded there before it runs, in the folder for temporary files that TMPDIR names",
    );
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** What of the messages of tfjs-node is used; it has them without types. */
interface Message {
  [method: string]: (...values: unknown[]) => Message;
}
type MessageClass = new () => Message;
interface Messages {
  readonly GraphDef: MessageClass;
  readonly NodeDef: MessageClass;
  readonly VersionDef: MessageClass;
  readonly Tensor: MessageClass;
  readonly SavedModel: MessageClass;
  readonly AttrValue: MessageClass & { readonly ListValue: MessageClass };
  readonly TensorShape: MessageClass & { readonly Dim: MessageClass };
  readonly MetaGraphDef: MessageClass & { readonly MetaInfoDef: MessageClass };
}

const messages = createRequire(__filename)("@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js") as Messages;

function encode(nodes: readonly GraphNode[]): Uint8Array {
  const graph = new messages.GraphDef();
  for (const node of nodes) graph["addNode"]!(nodeMessage(node));
  const version = new messages.VersionDef();
  version["setProducer"]!(producer);
  graph["setVersions"]!(version);
  const info = new messages.MetaGraphDef.MetaInfoDef();
  info["addTags"]!("serve");
  const meta = new messages.MetaGraphDef();
  meta["setMetaInfoDef"]!(info);
  meta["setGraphDef"]!(graph);
  const model = new messages.SavedModel();
  model["setSavedModelSchemaVersion"]!(1);
  model["addMetaGraphs"]!(meta);
  return model["serializeBinary"]!() as unknown as Uint8Array;
}

function nodeMessage({ name, op, inputs, attributes }: GraphNode): Message {
  const node = new messages.NodeDef();
  node["setName"]!(name);
  node["setOp"]!(op);
  node["setInputList"]!([...inputs]);
  const map = node["getAttrMap"]!() as unknown as { set(name: string, value: Message): void };
  for (const [attribute, value] of Object.entries(attributes)) map.set(attribute, attributeMessage(value));
  return node;
}

function attributeMessage(attribute: NodeAttribute): Message {
  const value = new messages.AttrValue();
  if ("bool" in attribute) value["setB"]!(attribute.bool);
  else if ("text" in attribute) value["setS"]!(Buffer.from(attribute.text));
  else if ("shape" in attribute) value["setShape"]!(shapeMessage(attribute.shape));
  else if ("tensor" in attribute) {
    const tensor = new messages.Tensor();
    tensor["setDtype"]!(attribute.tensor.dtype);
    tensor["setTensorShape"]!(shapeMessage(attribute.tensor.shape));
    tensor["setTensorContent"]!(attribute.tensor.bytes);
    value["setTensor"]!(tensor);
  } else {
    const [one, many, numbers] = numbersOf(attribute);
    if (typeof numbers === "number") value[one]!(numbers);
    else {
      const list = new messages.AttrValue.ListValue();
      list[many]!([...numbers]);
      value["setList"]!(list);
    }
  }
  return value;
}

function numbersOf(attribute: NumbersAttribute): readonly [string, string, number | readonly number[]] {
  if ("int" in attribute) return ["setI", "setIList", attribute.int];
  return "float" in attribute ? ["setF", "setFList", attribute.float] : ["setType", "setTypeList", attribute.type];
}

function shapeMessage(shape: readonly number[]): Message {
  const message = new messages.TensorShape();
  for (const size of shape) {
    const dimension = new messages.TensorShape.Dim();
    dimension["setSize"]!(size);
    message["addDim"]!(dimension);
  }
  return message;
}
