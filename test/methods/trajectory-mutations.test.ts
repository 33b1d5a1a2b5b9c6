import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { tf } from "../../src/engine/tf";
import { contrastAccuracy, contrastLogits, infoNCE } from "../../src/methods/losses";
import { mocoStep } from "../../src/methods/moco";
import { updateMomentumEncoder } from "../../src/methods/momentum-encoder";
import type { KeyQueue } from "../../src/methods/queue";
import { encodeShuffled } from "../../src/methods/shuffling-bn";
import { differentiate } from "../../src/methods/step";
import { encode, type Encoder } from "../../src/nn/encoder";
import { flatten } from "../../src/nn/parameters";
import { decodeSafetensors, encodeSafetensors } from "../../src/weights/safetensors";
import { loadCheckpoint, saveCheckpoint } from "../../src/train/checkpoint";
import { disposeTraining, startTraining } from "../../src/train/state";
import { tinyRecipe } from "../train/tiny";
import { encodeAside, follow, kindsBeyond, readTrajectory } from "./golden-trajectory";
import { mocoWalker, type MocoParts } from "./trajectory-walkers";

type Step = typeof mocoStep;

const trajectory = readTrajectory("moco-v1");
const { config } = trajectory;

/** The kinds of tensors that leave MoCo v1's trajectory when a part of the method is changed. */
function leaves(change: (parts: MocoParts) => Partial<MocoParts> | void): string[] {
  return kindsBeyond(follow(trajectory, mocoWalker(trajectory, change)));
}

/** Turns some tensors of a network around: weights that are as good, but not the same. */
function turnAround({ parameters }: Encoder, chosen: (name: string) => boolean): void {
  const turned = tf.tidy(() =>
    flatten(
      parameters.entries.map(({ name }, index) => {
        const values = parameters.tensors[index]!.as1D();
        return chosen(name) ? tf.reverse1d(values) : values;
      }),
    ),
  );
  parameters.replace(turned);
}

/** Puts other rows into the queue and leaves its pointer where it is. */
function overwrite(queue: KeyQueue, rows: tf.Tensor2D): void {
  const inRingOrder = tf.tidy(() => {
    const [before, after] = tf.split<tf.Tensor2D>(rows, [queue.pointer, queue.size - queue.pointer]);
    return tf.split<tf.Tensor2D>(tf.concat2d([after!, before!], 0), queue.size / config.batch);
  });
  for (const batch of inRingOrder) queue.replaceOldest(batch);
  tf.dispose(inRingOrder);
}

/** Algorithm 1 out of its parts, as published or with a mistake in what happens to the queue. */
function writtenOut(mistake?: "enqueue before the logits" | "the queue learns"): Step {
  return (
    { momentum, bnGroups, temperature, queryEncoder, keyEncoder, queue },
    { queryView, keyView, permutation },
  ) => {
    updateMomentumEncoder(keyEncoder, queryEncoder, { momentum });
    const keys = encodeShuffled(keyEncoder, keyView, { bnGroups, permutation });
    if (mistake === "enqueue before the logits") queue.replaceOldest(keys);
    if (mistake === "the queue learns") {
      // What an optimizer of all variables does to a queue that is one.
      const moved = tf.tidy(() => {
        const queries = encodeAside(queryEncoder, (copy) => encode(copy, queryView, { bnGroups }));
        const lossOf = (rows: tf.Tensor) =>
          infoNCE(contrastLogits(queries, keys, { negatives: rows as tf.Tensor2D, temperature }));
        return tf.sub<tf.Tensor2D>(queue.keys, tf.mul(tf.grad(lossOf)(queue.keys), config.rate));
      });
      overwrite(queue, moved);
      moved.dispose();
    }
    const result = differentiate([queryEncoder], () => {
      const logits = contrastLogits(encode(queryEncoder, queryView, { bnGroups }), keys, {
        negatives: queue.keys,
        temperature,
      });
      return { loss: infoNCE(logits), accuracy: contrastAccuracy(logits) };
    });
    if (mistake !== "enqueue before the logits") queue.replaceOldest(keys);
    keys.dispose();
    return result;
  };
}

describe("MoCo leaves PyTorch's trajectory", () => {
  it("not where the same is only written out", () => {
    expect(leaves(() => ({ step: writtenOut() }))).toEqual([]);
  });

  it("where the key encoder does not start as a copy", () => {
    const left = leaves(({ moco }) => turnAround(moco.keyEncoder, () => true));
    expect(left).toEqual(expect.arrayContaining(["logits", "queue", "convolutions", "loss"]));
  });

  it("where only the head of the key encoder is not copied", () => {
    const left = leaves(({ moco }) => turnAround(moco.keyEncoder, (name) => name.startsWith("fc.")));
    expect(left).toEqual(expect.arrayContaining(["logits", "queue", "head", "loss"]));
  });

  it("where the momentum update tracks the running averages of batch normalization", () => {
    const step: Step = (moco, ...rest) => {
      const { keyEncoder, queryEncoder } = moco;
      const tracked = tf.tidy(() =>
        tf.add<tf.Tensor1D>(
          tf.mul(keyEncoder.running.values, config.momentum!),
          tf.mul(queryEncoder.running.values, 1 - config.momentum!),
        ),
      );
      keyEncoder.running.replace(tracked);
      return mocoStep(moco, ...rest);
    };
    // Training does not use them: nothing else moves.
    expect(leaves(() => ({ step }))).toEqual(["running_averages"]);
  });

  it("where batch normalization has no weight decay", () => {
    const left = leaves(({ moco, optimizer }) => {
      const { parameters } = moco.queryEncoder;
      const decayed = (index: number) => {
        const { name, shape } = parameters.entries[index]!;
        return shape.length === 1 && !name.startsWith("fc.") ? config.weightDecay : 0;
      };
      const apply: MocoParts["optimizer"]["apply"] = ({ gradients }, learningRate) => {
        const without = tf.tidy(() => {
          const decay = flatten(parameters.tensors.map((tensor, entry) => tf.mul(tensor, decayed(entry))));
          return tf.sub<tf.Tensor1D>(gradients[0]!, decay);
        });
        tf.dispose([...gradients]);
        optimizer.apply({ gradients: [without] }, learningRate);
      };
      return { optimizer: { apply } };
    });
    expect(left).toContain("batch_normalization");
  });

  it("where the keys enter the queue before the logits", () => {
    const left = leaves(() => ({ step: writtenOut("enqueue before the logits") }));
    expect(left).toEqual(expect.arrayContaining(["loss", "convolutions"]));
  });

  it("where the queue is not detached, and learns", () => {
    const left = leaves(() => ({ step: writtenOut("the queue learns"), form: "op by op" }));
    expect(left).toEqual(expect.arrayContaining(["queue", "loss"]));
  });

  it("where training goes on without its queue, and not where it goes on with it", () => {
    const resumed = (restore: (queue: KeyQueue) => tf.Tensor2D) =>
      leaves(({ moco: { queue } }) => ({
        before: (index) => {
          if (index !== 5) return;
          const rows = restore(queue);
          overwrite(queue, rows);
          rows.dispose();
        },
      }));
    expect(resumed((queue) => tf.clone(queue.keys))).toEqual([]);
    expect(resumed((queue) => tf.reverse2d(queue.keys, 1))).toEqual(expect.arrayContaining(["queue", "loss"]));
  });

  it("and a checkpoint without its queue is not loaded", () => {
    const folder = mkdtempSync(join(tmpdir(), "moco-"));
    const path = join(folder, "checkpoint.safetensors");
    const recipe = tinyRecipe();
    const state = startTraining(recipe, { seed: 1, data: { checksum: "tiny", images: 26, classes: 2 } });
    saveCheckpoint(path, state, recipe);
    disposeTraining(state);
    const { tensors, metadata } = decodeSafetensors(readFileSync(path), path);
    const kept = new Map([...tensors].filter(([name]) => name !== "queue"));
    writeFileSync(path, encodeSafetensors({ tensors: kept, metadata }));
    expect(() => loadCheckpoint(path)).toThrow(/queue/);
    expect(() => loadCheckpoint(path)).toThrow(InputError);
    rmSync(folder, { recursive: true });
  });

  it("where a partial batch is kept", () => {
    let count = 0;
    const step: Step = (moco, { queryView, keyView, permutation }) => {
      if (++count < 10) return mocoStep(moco, { queryView, keyView, permutation });
      const half = [queryView, keyView].map((view) => tf.slice4d(view, [0, 0, 0, 0], [config.batch / 2, -1, -1, -1]));
      const shorter = tf.tensor1d([2, 0, 3, 1], "int32");
      return mocoStep(moco, { queryView: half[0]!, keyView: half[1]!, permutation: shorter });
    };
    expect(leaves(() => ({ step, form: "op by op" }))).toEqual(
      expect.arrayContaining(["loss", "queue", "running_averages"]),
    );
  });
});
