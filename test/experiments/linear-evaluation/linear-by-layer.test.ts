import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ImageData, PixelSet } from "../../../src/data/image-set";
import { InputError } from "../../../src/errors";
import { tf } from "../../../src/engine/tf";
import { extractFeatures, randomNetwork } from "../../../src/evaluate/extract";
import { linearProbe } from "../../../src/evaluate/linear-probe";
import { disposeEncoder } from "../../../src/nn/encoder";
import { layerFigure, layerRows } from "../../../src/experiments/linear-evaluation/layer-rows";
import { depths, linearByLayer, probeLayers } from "../../../src/experiments/linear-evaluation/linear-by-layer";
import { runDirectory } from "../../../src/runs/run-cell";
import type { Cell } from "../../../src/experiments/ablation/ablation";
import { saveCheckpoint } from "../../../src/train/checkpoint";
import { disposeTraining, startTraining } from "../../../src/train/state";
import { tinyData, tinyRecipe } from "../../train/tiny";

const folder = mkdtempSync(join(tmpdir(), "moco-layers-"));
afterAll(() => rmSync(folder, { recursive: true }));

const recipe = tinyRecipe();
const data = tinyData();

/** The same images, those of odd label turned red. */
function colored(set: PixelSet): PixelSet {
  const perImage = set.pixels.length / set.labels.length;
  const red = (at: number) => (set.labels[Math.floor(at / perImage)] === 1 ? (at % 3 === 0 ? 255 : 0) : undefined);
  return { ...set, pixels: set.pixels.map((value, at) => red(at) ?? value) };
}
const red: ImageData<PixelSet> = {
  ...data,
  train: colored(data.train),
  validation: colored(data.validation),
  test: colored(data.test),
};

describe("probeLayers", () => {
  it("probes each layer, of which the first shows an image's color, and leaves no tensor behind", () => {
    const encoder = randomNetwork(recipe.encoder, red, 1);
    const before = tf.memory().numTensors;
    const layers = probeLayers(encoder, red, 1);
    expect(tf.memory().numTensors).toBe(before);
    expect(layers.map(({ depth, dimension }) => [depth, dimension])).toEqual([
      ["stem", 2],
      [1, 2],
      [2, 4],
      [3, 8],
      [4, 16],
    ]);
    expect(layers.map(({ depth }) => depth)).toEqual(depths);
    expect(layers[0]!.score.accuracy).toBe(1);
    disposeEncoder(encoder);
  });

  it("gives after the last layer what the evaluation of a run gives", () => {
    const encoder = randomNetwork(recipe.encoder, data, 1);
    const [train, validation, test] = [data.train, data.validation, data.test].map((set) =>
      extractFeatures(encoder, data, set),
    );
    const whole = linearProbe(train!, validation!, test!, { classCount: 2, seed: 3 });
    expect(probeLayers(encoder, data, 3).at(-1)!.score).toEqual(whole);
    disposeEncoder(encoder);
  });
});

describe("linearByLayer", () => {
  const cell: Cell = { label: "MoCo", recipe, published: undefined, publishedAt: undefined, claimed: undefined };

  it("says which checkpoint is missing", () => {
    const probe = () => linearByLayer(cell, 1, data, folder);
    expect(probe).toThrow(InputError);
    expect(probe).toThrow(/Cannot read the checkpoint: there is no file .*tiny-\w+-on-\w+-seed1/);
  });

  it("takes the mean over seeds, as rows and as curves", () => {
    const accuracies = [1, 2, 3].map((seed) => {
      const state = startTraining(recipe, { seed, data: { checksum: "tiny", images: 26, classes: 2 } });
      saveCheckpoint(join(runDirectory(recipe, data, seed, folder), "checkpoint.safetensors"), state, recipe);
      const layers = probeLayers(state.method.encoder, data, seed);
      disposeTraining(state);
      return layers.map(({ score }) => score.accuracy);
    });
    const before = tf.memory().numTensors;
    const probes = linearByLayer(cell, 3, data, folder);
    expect(tf.memory().numTensors).toBe(before);
    probes.layers.forEach(({ accuracy }, at) => {
      expect(accuracy.kind).toBe("seeds");
      expect(accuracy.mean).toBeCloseTo(accuracies.reduce((sum, layers) => sum + layers[at]!, 0) / 3, 12);
    });

    const rows = layerRows([probes, { ...probes, label: "random" }]);
    expect(rows.map(({ layer }) => layer)).toEqual(["stem", "layer1", "layer2", "layer3", "layer4"]);
    expect(Object.keys(rows[0]!)).toEqual(["layer", "channels", "MoCo", "random"]);
    expect(rows[4]).toMatchObject({ channels: "16", MoCo: rows[4]!["random"]! });
    const [curve] = layerFigure([probes]).data;
    expect(curve!.y).toEqual(probes.layers.map(({ accuracy }) => 100 * accuracy.mean));
  });
});
