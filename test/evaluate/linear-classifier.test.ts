import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tf } from "../../src/engine/tf";
import { ClassifierProgram, disposeClassifier, type LinearClassifier } from "../../src/evaluate/linear-classifier";
import { ranksOf } from "../../src/evaluate/score";
import { disposeEncoder } from "../../src/nn/encoder";
import { ParameterVector } from "../../src/nn/parameters";
import { Sgd } from "../../src/train/sgd";
import { encoderChecksum } from "../../src/weights/encoder-checksum";
import { fromStateDict, toStateDict } from "../../src/weights/state-dict";
import { distance, startingEncoder } from "../methods/golden-trajectory";
import { hashed, hashedImages } from "../weights/hashed";

/** What test/golden/linear.py wrote. */
const golden = JSON.parse(readFileSync(join(__dirname, "fixtures/linear-steps.json"), "utf8")) as {
  config: { width: number; classes: number; size: number; images: number; batch: number };
  steps: { rate: number; loss: number; topOne: number; topFive: number; weight: number[]; bias: number[] }[];
  evaluated: { topOne: number; topFive: number };
};
const { width, classes, size, images: imageCount, batch } = golden.config;
const dimension = 8 * width;
const labels = Int32Array.from({ length: imageCount }, (_, image) => (image * 5) % classes);
const settings = { momentum: 0.9, weightDecay: 0 };

const below = (ranks: Int32Array, limit: number) => ranks.filter((rank) => rank < limit).length;

describe("ClassifierProgram", () => {
  let before: number;
  beforeEach(() => void (before = tf.memory().numTensors));
  afterEach(() => expect(tf.memory().numTensors).toBe(before));

  function start(): { encoder: ReturnType<typeof startingEncoder>; classifier: LinearClassifier } {
    const encoder = startingEncoder({
      architecture: "resnet18",
      width,
      stem: "cifar",
      head: "linear",
      dimension: classes,
    });
    const state = new Map([
      ["fc.weight", { shape: [classes, dimension], values: hashed(100, classes * dimension, -0.02, 0.02) }],
      ["fc.bias", { shape: [classes], values: new Float32Array(classes) }],
    ]);
    const entries = [
      { name: "fc.weight", shape: [dimension, classes] },
      { name: "fc.bias", shape: [classes] },
    ];
    const parameters: ParameterVector = fromStateDict(state, entries, "", "the hash");
    return { encoder, classifier: { parameters, optimizer: Sgd.create(parameters) } };
  }

  it("takes the steps of main_lincls.py, at its rate of 30 and with a smaller last batch, and moves nothing else", () => {
    const { encoder, classifier } = start();
    const frozen = encoderChecksum(encoder);
    const program = new ClassifierProgram(encoder, classifier, settings, {
      batchSizes: [batch, imageCount % batch],
      size,
    });
    const all = hashedImages(200, imageCount, size);
    const perEpoch = Math.ceil(imageCount / batch);
    golden.steps.forEach((expected, index) => {
      const first = (index % perEpoch) * batch;
      const count = Math.min(batch, imageCount - first);
      const images = tf.slice4d(all, [first, 0, 0, 0], [count, size, size, 3]);
      const right = labels.subarray(first, first + count);
      const { loss, logits } = program.step(images, right, expected.rate);
      images.dispose();
      expect(Math.abs(loss / expected.loss - 1)).toBeLessThan(1e-5);
      const ranks = ranksOf(logits, right, classes);
      expect([below(ranks, 1), below(ranks, 5)]).toEqual([expected.topOne, expected.topFive]);
      const state = toStateDict(classifier.parameters, "");
      expect(distance(state.get("fc.weight")!.values, expected.weight)).toBeLessThan(1e-5);
      expect(distance(state.get("fc.bias")!.values, expected.bias)).toBeLessThan(1e-5);
    });

    const ranks = [0, batch, 2 * batch].flatMap((first) => {
      const images = tf.slice4d(all, [first, 0, 0, 0], [Math.min(batch, imageCount - first), size, size, 3]);
      const { logits } = program.classify(images);
      images.dispose();
      return [...ranksOf(logits, labels.subarray(first, first + batch), classes)];
    });
    expect([below(Int32Array.from(ranks), 1), below(Int32Array.from(ranks), 5)]).toEqual(
      Object.values(golden.evaluated),
    );
    expect(encoderChecksum(encoder)).toBe(frozen);

    all.dispose();
    program.dispose();
    disposeClassifier(classifier);
    disposeEncoder(encoder);
  });
});

describe("ranksOf", () => {
  it("counts the classes that score higher; of equals the lower class comes first", () => {
    expect([...ranksOf([3, 1, 2, 3, 1, 2, 5, 5, 5], [0, 1, 2], 3)]).toEqual([0, 2, 2]);
  });

  it("puts a right class whose score is no number last, whatever the others score", () => {
    expect([...ranksOf([NaN, 1, NaN, NaN, NaN, -7], [0, 2], 3)]).toEqual([3, 0]);
  });
});
