import type { RecordedGraph } from "./dimensions";
import type { GraphNode } from "./graph-definition";

/** A graph that runs in sections, and where its values are. */
export interface SectionedGraph {
  readonly nodes: readonly GraphNode[];
  /**
   * The name of a value in a section, where it is computed before.
   *
   * @throws Error if it was not asked for when the graph was cut
   */
  readonly valueIn: (section: number, value: string) => string;
  /** What has to run at the end of each section but the last: puts aside what later ones use. */
  readonly stages: readonly string[];
  /** Throws away what each of these sections has put aside. */
  readonly clears: readonly string[];
}

/**
 * Cuts a graph where its function pauses. What a section computes and a later one uses waits in a staging area of the
 * session, on its device, and is gone when it has been used: copied nowhere, and no longer in memory than in one run.
 *
 * @param sections - how many
 * @param wanted - values that are fetched or assigned in a section, beside what its nodes use
 * @param prefix - of all names of new nodes
 */
export function cutIntoSections(
  { nodes, types, sections: sectionOf }: RecordedGraph,
  sections: number,
  wanted: readonly { readonly section: number; readonly value: string }[],
  prefix: string,
): SectionedGraph {
  // Constants are in the graph once for all.
  const constants = new Set(nodes.filter(({ op }) => op === "Const").map(({ name }) => name));
  const homeOf = (value: string) => (constants.has(value) ? undefined : sectionOf.get(value.replace(/:.*/, "")));
  /** What waits at each pause; a value from two pauses before waits at both. */
  const waiting = Array.from({ length: sections - 1 }, () => new Map<string, number>());
  const use = (section: number, value: string) => {
    for (let pause = homeOf(value) ?? section; pause < section; pause++) {
      const values = waiting[pause]!;
      if (!values.has(value)) values.set(value, values.size);
    }
  };
  for (const { name, inputs } of nodes) for (const input of inputs) use(sectionOf.get(name)!, input);
  for (const { section, value } of wanted) use(section, value);
  const valueIn = (section: number, value: string): string => {
    if ((homeOf(value) ?? section) === section) return value;
    const output = waiting[section - 1]!.get(value);
    if (output === undefined) throw new Error(`Cannot cut the graph: ${value} is not kept for section ${section}`);
    return `${prefix}unstage${section}${output === 0 ? "" : `:${output}`}`;
  };
  const staging = waiting.map((values, pause) => {
    const attributes = {
      dtypes: { type: [...values.keys()].map((value) => types.get(value)!) },
      capacity: { int: 0 },
      memory_limit: { int: 0 },
      container: { text: "" },
      shared_name: { text: `${prefix}staged${pause}` },
    };
    const inputs = [...values.keys()].map((value) => valueIn(pause, value));
    return [
      { name: `${prefix}stage${pause}`, op: "Stage", inputs, attributes },
      { name: `${prefix}unstage${pause + 1}`, op: "Unstage", inputs: [], attributes },
      { name: `${prefix}clear${pause}`, op: "StageClear", inputs: [], attributes },
    ];
  });
  return {
    nodes: [
      ...nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map((input) => valueIn(sectionOf.get(node.name)!, input)),
      })),
      ...staging.flat(),
    ],
    valueIn,
    stages: staging.map(([stage]) => stage!.name),
    clears: staging.map(([, , clear]) => clear!.name),
  };
}
