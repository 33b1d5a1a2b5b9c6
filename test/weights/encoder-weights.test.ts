import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";
import { nameParts, partsOf, type CheckpointParts, type Naming } from "../../src/weights/checkpoint-names";
import { backboneFeatures, createEncoder, disposeEncoder, type EncoderConfig } from "../../src/nn/encoder";
import { assertWhole, describeEncoder, encoderConfigOf, loadEncoder } from "../../src/weights/encoder-weights";
import type { HostTensor, StoredTensor } from "../../src/weights/safetensors";
import { toStateDict } from "../../src/weights/state-dict";
import { readWeights, writeWeights } from "../../src/weights/weights-file";
import { relativeError } from "../engine/double-precision";
import far from "../nn/fixtures/far-running-averages.json";
import fixture from "../nn/fixtures/torchvision.json";
import { hashed, hashedImages, hashedState } from "./hashed";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "moco-weights-"))));
afterAll(() => rmSync(folder, { recursive: true }));

/** The weights of test/golden/checkpoints.py: means of -2 to 2 instead of 0, variances of 0.05 to 4 instead of 1. */
function farState(shapes: Readonly<Record<string, readonly number[]>>): Map<string, HostTensor> {
  const state = hashedState(shapes);
  [...state.keys()].forEach((name, seed) => {
    const shape = shapes[name]!;
    if (name.endsWith("running_mean")) state.set(name, { shape, values: hashed(seed, shape[0]!, -2, 2) });
    if (name.endsWith("running_var")) state.set(name, { shape, values: hashed(seed, shape[0]!, 0.05, 4) });
  });
  return state;
}

/** Features by weights that went through a file. */
function featuresOf(state: Map<string, HostTensor>, naming: Naming, file: string): ArrayLike<number> {
  const path = join(folder, file);
  writeWeights(path, nameParts({ query: state, key: undefined, queue: undefined }, naming));
  const encoder = loadEncoder(path);
  rmSync(path);
  const features = tf.tidy(() => backboneFeatures(encoder, hashedImages(7, 2, 64)).dataSync());
  disposeEncoder(encoder);
  return features;
}

describe("features of a network in a file", () => {
  it.each([
    ["resnet18", "detectron2", "weights.pkl"],
    ["resnet50", "moco", "weights.safetensors"],
  ] as const)("of %s with %s's names are torchvision's", (architecture, naming, file) => {
    const before = tf.memory().numTensors;
    const state = farState(fixture[architecture].shapes);
    expect(relativeError(featuresOf(state, naming, file), far[architecture])).toBeLessThan(1e-4);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("differ by far with running averages of 0 and 1: the test above would notice", () => {
    const state = farState(fixture.resnet18.shapes);
    for (const [name, { shape, values }] of state) {
      if (name.endsWith("running_mean")) state.set(name, { shape, values: values.map(() => 0) });
      if (name.endsWith("running_var")) state.set(name, { shape, values: values.map(() => 1) });
    }
    expect(relativeError(featuresOf(state, "torchvision", "a.safetensors"), far.resnet18)).toBeGreaterThan(0.5);
  });
});

describe("loadEncoder", () => {
  it.each([
    ["moco-v1.legacy.pth.tar", { architecture: "resnet50", head: "linear" }],
    ["moco-v2.zip.pth.tar", { architecture: "resnet18", head: "mlp" }],
    ["moco-v1.detectron2.pkl", { architecture: "resnet50", head: "linear" }],
  ])("finds out what network %s has, and loads its query encoder bit for bit", (file, kind) => {
    const path = join(__dirname, "fixtures", file);
    const encoder = loadEncoder(path);
    expect(encoder.config).toEqual({ ...kind, width: 1, stem: "imagenet", dimension: 4 });
    const { query } = partsOf(readWeights(path), path);
    const loaded = new Map([...toStateDict(encoder.parameters, ""), ...toStateDict(encoder.running, "")]);
    for (const [name, tensor] of loaded) expect(tensor, name).toEqual(query.get(name));
    expect(loaded.size).toBe([...query.keys()].filter((name) => !name.endsWith("num_batches_tracked")).length);
    disposeEncoder(encoder);
  });

  it("loads a backbone without a head, and its features are those of the whole network", () => {
    const state = farState(fixture.resnet18.shapes);
    for (const name of ["fc.weight", "fc.bias"]) state.delete(name);
    const before = tf.memory().numTensors;
    expect(relativeError(featuresOf(state, "torchvision", "backbone.safetensors"), far.resnet18)).toBeLessThan(1e-4);
    expect(tf.memory().numTensors).toBe(before);
    expect(describeEncoder(encoderConfigOf(state, "test"))).toBe("resnet18 of width 64 with imagenet stem and no head");
  });

  it("says when there is no file, or a folder in its place", () => {
    expect(() => loadEncoder(join(folder, "none.pth"))).toThrow(InputError);
    expect(() => loadEncoder(folder)).toThrow(`${folder} is a folder without a checkpoint`);
  });
});

describe("encoderConfigOf", () => {
  it.each<EncoderConfig>([
    { architecture: "resnet18", width: 4, stem: "cifar", head: "mlp", dimension: 8 },
    { architecture: "resnet34", width: 2, stem: "imagenet", head: "linear", dimension: 3 },
    { architecture: "resnet50", width: 8, stem: "cifar", head: "linear", dimension: 5 },
    { architecture: "resnext50-32x8d", width: 8, stem: "imagenet", head: "mlp", dimension: 6 },
  ])("tells $architecture of width $width by its tensors", (config) => {
    expect(encoderConfigOf(stateOf(config), "test")).toEqual(config);
  });

  it("lists all that is missing, unexpected, of another shape or type", () => {
    const state = stateOf({ architecture: "resnet18", width: 2, stem: "cifar", head: "linear", dimension: 3 });
    state.delete("layer1.0.bn1.weight");
    state.set("layer1.0.bn1.num_batches_tracked", { shape: [], values: BigInt64Array.of(1n) });
    state.set("layer1.0.conv1.weight", { shape: [2, 2, 1, 1], values: new Float32Array(4) });
    state.set("layer5.0.conv1.weight", { shape: [2], values: new Float32Array(2) });
    state.set("bn1.bias", { shape: [2], values: BigInt64Array.of(0n, 0n) });
    const read = () => encoderConfigOf(state, "a.pth");
    expect(read).toThrow(InputError);
    expect(read).toThrow(
      "Cannot use the query encoder of a.pth: it does not fit resnet18 of width 2 with cifar stem and linear head of 3, the most similar.\n" +
        "  wrong shape: layer1.0.conv1.weight is [2, 2, 1, 1], expected [2, 2, 3, 3]\n" +
        "  missing: layer1.0.bn1.weight\n" +
        "  unexpected: layer5.0.conv1.weight\n" +
        "  integers: bn1.bias",
    );
  });

  it("refuses what has no first convolution", () => {
    expect(() => encoderConfigOf(new Map(), "a.pth")).toThrow("it has no first convolution, conv1.weight");
  });
});

describe("assertWhole", () => {
  const config: EncoderConfig = { architecture: "resnet18", width: 2, stem: "cifar", head: "linear", dimension: 3 };
  const parts = (changes: Partial<CheckpointParts>): CheckpointParts => ({
    query: stateOf(config),
    key: stateOf(config),
    queue: { keys: { shape: [4, 3], values: new Float32Array(12) }, pointer: 0 },
    ...changes,
  });

  it("takes a whole checkpoint", () => {
    expect(assertWhole(parts({}), "test")).toEqual(config);
  });

  it("refuses a key encoder of another kind, and keys of another length", () => {
    const wide = stateOf({ ...config, dimension: 4 });
    expect(() => assertWhole(parts({ key: wide }), "a.pth")).toThrow(
      /^Cannot use the key encoder of a\.pth: .*\n {2}wrong shape: fc\.weight is \[4, 16\], expected \[3, 16\]\n/,
    );
    const queue = { keys: { shape: [3, 4], values: new Float32Array(12) }, pointer: 0 };
    expect(() => assertWhole(parts({ queue }), "a.pth")).toThrow("its keys must have length 3");
  });
});

function stateOf(config: EncoderConfig): Map<string, StoredTensor> {
  const encoder = createEncoder(config, randomStream(1, "test"));
  const state = new Map<string, StoredTensor>([
    ...toStateDict(encoder.parameters, ""),
    ...toStateDict(encoder.running, ""),
  ]);
  disposeEncoder(encoder);
  return state;
}
