import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import type { TensorEntry } from "../../src/nn/parameters";
import {
  architectures,
  featureCount,
  parameterCount,
  resNetParameters,
  resNetRunningAverages,
  type Architecture,
  type ResNetConfig,
} from "../../src/nn/resnet-layout";
import fixture from "./fixtures/torchvision.json";

const standard = (architecture: Architecture): ResNetConfig => ({ architecture, width: 64, stem: "imagenet" });

describe.each(architectures)("%s", (architecture) => {
  const shapes: Readonly<Record<string, number[]>> = fixture[architecture].shapes;

  it("has torchvision's names and shapes, in torchvision's order", () => {
    const config = standard(architecture);
    const ours = (entries: readonly TensorEntry[]) => entries.map(({ name, shape }) => [name, torchShape(shape)]);
    const theirs = Object.entries(shapes).filter(([name]) => !name.startsWith("fc."));
    const running = ([name]: [string, number[]]) => name.includes(".running_");
    expect(ours(resNetParameters(config))).toEqual(theirs.filter((entry) => !running(entry)));
    expect(ours(resNetRunningAverages(config))).toEqual(theirs.filter(running));
    expect(featureCount(config)).toBe(shapes["fc.weight"]![1]);
  });
});

describe("parameter counts", () => {
  // Table 1 of the paper counts the features' parameters, in millions.
  it.each([
    ["resnet50", 64, 23_508_032, 24],
    ["resnet50", 128, 93_907_072, 94],
    ["resnet50", 256, 375_378_176, 375],
    ["resnext50-32x8d", 64, 45_972_800, 46],
  ] as const)("of %s of width %i are %i: the %i M of the paper's Table 1", (architecture, width, count, millions) => {
    expect(parameterCount({ ...standard(architecture), width })).toBe(count);
    expect(Math.round(count / 1e6)).toBe(millions);
  });
});

describe("a ResNeXt of another width", () => {
  const shapeOf = (width: number, name: string) =>
    resNetParameters({ ...standard("resnext50-32x8d"), width }).find((entry) => entry.name === name)?.shape;

  it("keeps its 32 groups and scales their channels", () => {
    expect(shapeOf(64, "layer1.0.conv2.weight")).toEqual([3, 3, 8, 256]);
    expect(shapeOf(8, "layer1.0.conv2.weight")).toEqual([3, 3, 1, 32]);
    expect(shapeOf(8, "layer4.2.conv2.weight")).toEqual([3, 3, 8, 256]);
    expect(shapeOf(24, "layer1.0.conv3.weight")).toEqual([1, 1, 96, 96]);
  });

  it("is refused where a group would have a part of a channel", () => {
    expect(() => shapeOf(12, "")).toThrow(InputError);
    expect(() => shapeOf(12, "")).toThrow("width must be a multiple of 8");
    expect(() => shapeOf(4, "")).toThrow("current value is 4");
  });
});

function torchShape(shape: readonly number[]): number[] {
  return shape.length === 4 ? [shape[3]!, shape[2]!, shape[0]!, shape[1]!] : [...shape];
}
