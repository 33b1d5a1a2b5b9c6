import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/engine/errors";
import { nameParts, namings, partsOf } from "../../src/nn/checkpoint-names";
import type { StoredTensor } from "../../src/nn/safetensors";
import { readWeights } from "../../src/nn/weights-file";
import fixture from "./fixtures/torchvision.json";

const fixtures = join(__dirname, "fixtures");
const official = readWeights(join(fixtures, "moco-v1.legacy.pth.tar"));
const tensor = (value: number): StoredTensor => ({ shape: [1], values: Float32Array.of(value) });
const content = (names: readonly string[], metadata: Record<string, string> = {}) => ({
  tensors: new Map(names.map((name, index) => [name, tensor(index)])),
  metadata,
});
const sorted = (tensors: ReadonlyMap<string, StoredTensor>) => [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));

describe("an official checkpoint", () => {
  const parts = partsOf(official, "test");

  it("has both encoders under torchvision's names, and the queue by rows", () => {
    expect(parts.naming).toBe("moco");
    const torchvision = Object.keys(fixture.resnet50.shapes);
    const named = [...parts.query.keys()].filter((name) => !name.endsWith("num_batches_tracked"));
    expect(named).toEqual(torchvision);
    expect([...parts.key!.keys()]).toEqual([...parts.query.keys()]);
    const columns = official.tensors.get("module.queue")!;
    expect(columns.shape).toEqual([4, 12]); // [C, K]
    expect(parts.queue!.keys.shape).toEqual([12, 4]); // [K, C]
    expect(parts.queue!.keys.values[5 * 4 + 2]).toBe(columns.values[2 * 12 + 5]);
    expect(parts.queue!.pointer).toBe(6);
  });

  it.each(["moco", "kit"] as const)("comes back from %s names bit for bit, with key encoder and queue", (naming) => {
    const tensors = nameParts(parts, naming);
    const again = nameParts(partsOf({ tensors, metadata: {} }, "test"), "moco");
    expect(sorted(again)).toEqual(sorted(official.tensors));
  });

  it.each(["torchvision", "detectron2"] as const)(
    "comes back from %s names bit for bit, the query encoder",
    (naming) => {
      const tensors = nameParts(parts, naming);
      const again = partsOf({ tensors, metadata: {} }, "test");
      expect(again).toEqual({ naming, query: parts.query, key: undefined, queue: undefined });
    },
  );

  it("has in detectron2's names what the official script makes of it", () => {
    // Written in Python by the rules of detection/convert-pretrain-to-detectron2.py: see test/golden/checkpoints.py.
    const { tensors } = readWeights(join(fixtures, "moco-v1.detectron2.pkl"));
    expect(nameParts(parts, "detectron2")).toEqual(tensors);
  });
});

describe("partsOf", () => {
  it("refuses names that it does not know, with the first of them", () => {
    const read = () => partsOf(content(["backbone.0.weight", "b", "c", "d"]), "a.pth");
    expect(read).toThrow(InputError);
    expect(read).toThrow(
      `Cannot find a network in a.pth: its tensors have names of none of ${namings.join(", ")}, its first are backbone.0.weight, b, c`,
    );
    expect(() => partsOf(content([]), "a.pth")).toThrow("its first are none");
  });

  it("lists what has no place among the names", () => {
    const names = ["module.encoder_q.conv1.weight", "module.extra", "conv1.weight"];
    expect(() => partsOf(content(names), "a.pth")).toThrow(
      "Cannot use a.pth: it has tensors that no moco checkpoint has.\n" +
        "  unexpected: module.extra\n  unexpected: conv1.weight",
    );
  });

  it("lists names of another project among detectron2's: they would fall on the same tensor", () => {
    const names = ["stem.conv1.weight", "res2.0.conv1.weight", "conv1.weight", "res2.0.bn1.weight"];
    expect(() => partsOf(content(names), "a.pkl")).toThrow("unexpected: conv1.weight\n  unexpected: res2.0.bn1.weight");
  });

  it("passes over what only training needs in a checkpoint of the kit", () => {
    const names = ["encoder_q.conv1.weight", "velocity.encoder_q.conv1.weight", "queue_images"];
    const { query, queue } = partsOf(content(names, { format: "moco-kit checkpoint 2" }), "a.safetensors");
    expect([...query.keys()]).toEqual(["conv1.weight"]);
    expect(queue).toBeUndefined();
    expect(() => partsOf(content(names), "a.safetensors")).toThrow("unexpected: velocity.encoder_q.conv1.weight");
  });

  it.each<[string, StoredTensor | undefined, StoredTensor | undefined]>([
    ["no pointer", { shape: [2, 3], values: new Float32Array(6) }, undefined],
    [
      "a pointer beyond it",
      { shape: [2, 3], values: new Float32Array(6) },
      { shape: [1], values: BigInt64Array.of(3n) },
    ],
    [
      "a negative pointer",
      { shape: [2, 3], values: new Float32Array(6) },
      { shape: [1], values: BigInt64Array.of(-1n) },
    ],
    ["a pointer between rows", { shape: [2, 3], values: new Float32Array(6) }, tensor(0.5)],
    ["no rows", { shape: [6], values: new Float32Array(6) }, tensor(0)],
    ["integers for keys", { shape: [2, 3], values: new BigInt64Array(6) }, tensor(0)],
  ])("refuses a queue with %s", (_, queue, pointer) => {
    const { tensors } = content(["module.encoder_q.conv1.weight"]);
    if (queue) tensors.set("module.queue", queue);
    if (pointer) tensors.set("module.queue_ptr", pointer);
    expect(() => partsOf({ tensors, metadata: {} }, "a.pth")).toThrow(/^Cannot use a\.pth: its queue of shape \[/);
  });
});
