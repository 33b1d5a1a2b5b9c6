import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { nameParts, namings, partsOf } from "../../src/weights/checkpoint-names";
import type { StoredTensor } from "../../src/weights/safetensors";
import { readWeights } from "../../src/weights/weights-file";
import fixture from "../nn/fixtures/torchvision.json";

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
      expect(again).toEqual({ naming, query: parts.query, key: undefined, queue: undefined, leftOut: [] });
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

  it.each(["", "module.", "model.", "module._orig_mod."])(
    "reads the official code's names after %j: one GPU, or Lightning",
    (start) => {
      const names = ["encoder_q.conv1.weight", "encoder_k.conv1.weight", "criterion.weight"];
      const { tensors } = content(names.map((name) => start + name));
      tensors.set(`${start}queue`, { shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) });
      tensors.set(`${start}queue_ptr`, { shape: [1], values: BigInt64Array.of(2n) });
      expect(partsOf({ tensors, metadata: {} }, "a.ckpt")).toEqual({
        naming: "moco",
        query: new Map([["conv1.weight", tensor(0)]]),
        key: new Map([["conv1.weight", tensor(1)]]),
        queue: { keys: { shape: [3, 2], values: Float32Array.of(1, 4, 2, 5, 3, 6) }, pointer: 2 },
        leftOut: [`${start}criterion.weight`],
      });
    },
  );

  it.each(["", "module.", "backbone.", "_feature_blocks."])(
    "reads torchvision's names after %j, and says what it leaves out",
    (start) => {
      const names = ["conv1.weight", "layer1.0.conv1.weight", "fc.bias", "prototypes.weight"];
      const { query, leftOut, naming } = partsOf(content(names.map((name) => start + name)), "a.pth");
      expect(naming).toBe("torchvision");
      expect([...query.keys()]).toEqual(names.slice(0, 3));
      expect(leftOut).toEqual([`${start}prototypes.weight`]);
    },
  );

  it("refuses to choose between networks", () => {
    const names = ["student.conv1.weight", "teacher.conv1.weight", "teacher.layer1.0.conv1.weight"];
    expect(() => partsOf(content(names), "a.pth")).toThrow(
      "Cannot choose a network in a.pth: it must have one, or encoder_q and encoder_k, current ones are " +
        "student.conv1.weight, teacher.conv1.weight.",
    );
    const beside = ["module.encoder_q.conv1.weight", "conv1.weight"];
    expect(() => partsOf(content(beside), "a.pth")).toThrow("current ones are module.encoder_q.conv1.weight, conv1");
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
