import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { byol } from "../../examples/own-method";
import {
  extractFeatures,
  knn,
  loadCheckpoint,
  parseRecipe,
  pretrain,
  tf,
  type AnyRecipe,
  type ImageData,
} from "moco-kit";
import { tinyData, tinyRecipe } from "../train/tiny";

const folder = mkdtempSync(join(tmpdir(), "moco-own-method-"));
afterAll(() => rmSync(folder, { recursive: true }));

const method = { kind: "byol", momentum: 0.9, hidden: 8 };
const recipe: AnyRecipe = { ...tinyRecipe(), name: "tiny-byol", method };
const data: ImageData = tinyData();

async function train(directory: string, stopAfter?: number): Promise<number[]> {
  const losses: number[] = [];
  const stop = { stopRequested: () => losses.length === stopAfter };
  try {
    for await (const { loss } of pretrain(recipe, data, { seed: 1, directory, method: byol, ...stop }))
      losses.push(loss);
  } catch (error) {
    if (losses.length !== stopAfter) throw error;
  }
  return losses;
}

const tensorsOf = (directory: string) => {
  const { state } = loadCheckpoint(join(directory, "checkpoint.safetensors"), byol);
  return Object.entries(state.method.networks).map(([name, { parameters }]) => [name, parameters.values.dataSync()]);
};

describe("BYOL, added from outside through the public interface", () => {
  it("trains, is interrupted, and goes on bit for bit, its predictor included", async () => {
    const [whole, inParts] = [join(folder, "whole"), join(folder, "in-parts")];
    const undisturbed = await train(whole);
    expect(undisturbed).toHaveLength(6);
    const parts = [await train(inParts, 2), await train(inParts)];
    expect(parts.map(({ length }) => length)).toEqual([2, 4]);
    expect(parts.flat()).toEqual(undisturbed);
    expect(tensorsOf(inParts)).toEqual(tensorsOf(whole));
    expect(tensorsOf(whole).map(([name]) => name)).toEqual(["online", "target", "predictor"]);
  });

  it("keeps its target apart from the online network that it follows", async () => {
    const directory = join(folder, "moves");
    await train(directory, 1);
    const { state } = loadCheckpoint(join(directory, "checkpoint.safetensors"), byol);
    const { online, target } = state.method.networks;
    // In the first step the target was still equal to the online network; since then only the latter has moved.
    const difference = tf.tidy(() =>
      tf.max(tf.abs(tf.sub(online!.parameters.values, target!.parameters.values))).dataSync(),
    );
    expect(difference[0]).toBeGreaterThan(0);
  });

  it("is evaluated by kNN", async () => {
    const directory = join(folder, "whole");
    await train(directory);
    const { encoder } = loadCheckpoint(join(directory, "checkpoint.safetensors"), byol).state.method;
    const [bank, asked] = [data.train, data.validation].map((set) => extractFeatures(encoder, data, set));
    const { accuracy } = knn(bank!, asked!, { k: 3, temperature: 0.1, classCount: 2 });
    expect(accuracy).toBeGreaterThanOrEqual(0);
    expect(accuracy).toBeLessThanOrEqual(1);
  });

  it("has its settings checked as those of the kit's methods", () => {
    expect(parseRecipe(recipe, byol)).toEqual(recipe);
    expect(() => parseRecipe({ ...recipe, method: { ...method, momentum: 1 } }, byol)).toThrow("method.momentum");
    expect(() => parseRecipe(recipe)).toThrow("method.kind");
  });
});
