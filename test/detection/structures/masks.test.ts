import { describe, expect, it } from "vitest";
import type { Box } from "../../../src/detection/structures/detection-set";
import { rowsOfClass } from "../../../src/detection/model/detector-losses";
import { maskHead, maskHeadParameters, maskLoss, masksOfClass } from "../../../src/detection/model/mask-head";
import { decodeMask, encodeMask, maskArea, type Rle } from "../../../src/detection/structures/mask-rle";
import { maskTargets } from "../../../src/detection/model/mask-targets";
import { pasteMask } from "../../../src/detection/structures/paste-mask";
import { transformMask } from "../../../src/detection/structures/transform-mask";
import { randomStream } from "../../../src/engine/random";
import { tf } from "../../../src/engine/tf";
import { gradientsOf } from "../../../src/nn/gradients";
import { ParameterVector } from "../../../src/nn/parameters";
import { fromStateDict, toStateDict } from "../../../src/weights/state-dict";
import { relativeError } from "../../engine/double-precision";
import { hashed, hashedState, sampled } from "../../weights/hashed";
import fixture from "../fixtures/masks.json";

const { height, width } = fixture;
const rle = (counts: readonly number[]): Rle => ({ size: [height, width], counts: Uint32Array.from(counts) });

describe("maskTargets", () => {
  const masks = fixture.targets.masks.map(rle);

  it.each(fixture.targets.cases)("are detectron2's: $side x $side", ({ side, regions, groundTruth, targets }) => {
    const before = tf.memory().numTensors;
    const found = maskTargets(masks, { height, width }, Float32Array.from(regions), Int32Array.from(groundTruth), side);
    const rows = targets.map((_, index) => found.subarray(index * side ** 2, (index + 1) * side ** 2).join(""));
    expect(rows).toEqual(targets);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("of an outline are those of its pixels", () => {
    const outline = [[10, 5, 40, 5, 40, 30, 10, 30]];
    const region = Float32Array.of(10, 5, 70, 30);
    const targets = maskTargets([outline], { height, width }, region, Int32Array.of(0), 4);
    expect([...targets]).toEqual([1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0]);
  });
});

describe("the mask head", () => {
  const { channels, classes, side, seed } = fixture.head;
  const labels = Int32Array.from(fixture.head.labels);
  const count = labels.length;
  const entries = maskHeadParameters(channels, fixture.head.width, classes);

  it("has PyTorch's masks, loss and gradients", () => {
    const before = tf.memory().numTensors;
    const size = count * side ** 2 * channels;
    const x = new ParameterVector(
      [{ name: "x", shape: [count, side, side, channels] }],
      tf.tensor1d(hashed(seed, size, -1, 1)),
    );
    const parameters = fromStateDict(hashedState(fixture.head.shapes), entries, "", "fixture");
    const places = 4 * side ** 2;
    const targets = hashed(seed + 1, count * places, 0, 1).map((value) => Number(value > 0.6));
    const rows = rowsOfClass(Int32Array.from(labels.keys()), labels, classes);
    const { loss, gradients } = gradientsOf([x, parameters], () => {
      const logits = maskHead(parameters, x.tensor("x"));
      expect(logits.shape).toEqual([count, 2 * side, 2 * side, classes]);
      expect(relativeError(logits.dataSync(), fixture.head.logits)).toBeLessThan(1e-5);
      const ofClass = masksOfClass(logits, tf.tensor1d(rows, "int32"));
      return maskLoss(ofClass, tf.tensor2d(targets, [count, places]), tf.scalar(1 / (count * places)));
    });
    expect(relativeError(loss.dataSync(), [fixture.head.loss])).toBeLessThan(1e-5);
    const [ofInput, ofParameters] = gradients as [tf.Tensor1D, tf.Tensor1D];
    expect(relativeError(ofInput.dataSync(), fixture.head.inputGradient)).toBeLessThan(1e-4);
    const named = new ParameterVector(entries, ofParameters);
    const ours = toStateDict(named, "");
    for (const [name, expected] of Object.entries(fixture.head.gradients)) {
      expect(relativeError(sampled(ours.get(name)!.values), expected), name).toBeLessThan(1e-4);
    }
    tf.dispose([loss, ofInput]);
    [named, x, parameters].forEach((vector) => vector.dispose());
    expect(tf.memory().numTensors).toBe(before);
  });

  it("learns nothing where the one region stands for none: loss and gradients are 0", () => {
    const parameters = fromStateDict(hashedState(fixture.head.shapes), entries, "", "fixture");
    const { loss, gradients } = gradientsOf([parameters], () => {
      const logits = maskHead(parameters, tf.ones([1, side, side, channels]));
      const ofClass = masksOfClass(logits, tf.tensor1d([0], "int32"));
      return maskLoss(ofClass, tf.zeros([1, 4 * side ** 2]), tf.scalar(0));
    });
    expect(loss.arraySync()).toBe(0);
    expect(Math.max(...gradients[0]!.dataSync().map(Math.abs))).toBe(0);
    tf.dispose([loss, gradients]);
    parameters.dispose();
  });
});

describe("pasteMask", () => {
  it.each(fixture.pasting.cases)("has detectron2's pixels: $name", ({ side, seed, boxes, masks }) => {
    const probabilities = hashed(seed, masks.length * side ** 2, 0.1, 1);
    masks.forEach((counts, index) => {
      const box = boxes.slice(4 * index, 4 * index + 4) as unknown as Box;
      const of = probabilities.subarray(index * side ** 2, (index + 1) * side ** 2);
      expect(pasteMask(of, box, { height, width })).toEqual(rle(counts));
    });
  });

  it("leads back to a mask whose targets it was", () => {
    const mask = rle(fixture.targets.masks[0]!);
    const box = Float32Array.of(5, 4, 41, 45);
    const targets = maskTargets([mask], { height, width }, box, Int32Array.of(0), 28);
    const pasted = decodeMask(pasteMask(targets, [...box] as unknown as Box, { height, width }));
    const differing = decodeMask(mask).filter((value, at) => value !== pasted[at]).length;
    expect(differing / maskArea(mask)).toBeLessThan(0.05);
  });
});

describe("transformMask", () => {
  const from = { height: 4, width: 6 };
  // prettier-ignore
  const bits = [
    1, 1, 0, 0, 0, 0,
    1, 1, 0, 0, 0, 0,
    0, 0, 0, 1, 0, 0,
    0, 0, 0, 0, 0, 0,
  ];
  const mask = encodeMask(bits, 4, 6);

  it("keeps a mask at its size, and mirrors it", () => {
    expect(transformMask(mask, from, from, false)).toEqual(mask);
    const mirrored = transformMask(mask, from, from, true) as Rle;
    // prettier-ignore
    expect([...decodeMask(mirrored)]).toEqual([
      0, 0, 0, 0, 1, 1,
      0, 0, 0, 0, 1, 1,
      0, 0, 1, 0, 0, 0,
      0, 0, 0, 0, 0, 0,
    ]);
    expect(transformMask(mirrored, from, from, true)).toEqual(mask);
  });

  it("takes the nearest pixel when it resizes", () => {
    const larger = transformMask(mask, from, { height: 8, width: 12 }, false) as Rle;
    expect(larger.size).toEqual([8, 12]);
    expect(maskArea(larger)).toBe(4 * maskArea(mask));
    expect(transformMask(larger, { height: 8, width: 12 }, from, false)).toEqual(mask);
  });

  it("gives every pixel the nearest one's value, at any size", () => {
    for (let index = 0; index < 300; index++) {
      const random = randomStream(0, "transform", index);
      const side = (most: number) => 1 + random.integer(most);
      const [from, to] = [
        { height: side(20), width: side(20) },
        { height: side(40), width: side(40) },
      ];
      const mirrored = random.uniform() < 0.5;
      const bits = Array.from({ length: from.height * from.width }, () => Number(random.uniform() < 0.1));
      const wanted = Array.from({ length: to.height * to.width }, (_, at) => {
        const [x, y] = [at % to.width, Math.floor(at / to.width)];
        const column = Math.floor((((mirrored ? to.width - 1 - x : x) + 0.5) * from.width) / to.width);
        return bits[Math.floor(((y + 0.5) * from.height) / to.height) * from.width + column]!;
      });
      const moved = transformMask(encodeMask(bits, from.height, from.width), from, to, mirrored) as Rle;
      expect([...decodeMask(moved)]).toEqual(wanted);
    }
  });

  it("moves the corners of outlines", () => {
    const outline = [[0, 0, 2, 0, 2, 3]];
    const to = { height: 8, width: 12 };
    expect(transformMask(outline, from, to, false)).toEqual([[0, 0, 4, 0, 4, 6]]);
    expect(transformMask(outline, from, to, true)).toEqual([[12, 0, 8, 0, 8, 6]]);
  });
});
