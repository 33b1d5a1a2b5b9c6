import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { tf } from "../../src/engine/tf";
import { disposeMoco, mocoStep, type Moco } from "../../src/methods/moco";
import { KeyQueue } from "../../src/methods/queue";
import { encoderParameters, normaliseRows, type Encoder, type EncoderConfig } from "../../src/nn/encoder";
import { resNetRunningAverages } from "../../src/nn/resnet";
import { decodeSafetensors } from "../../src/nn/safetensors";
import { fromStateDict, toStateDict } from "../../src/nn/state-dict";
import { Sgd } from "../../src/train/sgd";
import { relativeError } from "../engine/double-precision";
import { hashed, hashedImages, hashedState } from "../nn/hashed";
import fixture from "./fixtures/trajectory.json";

const { config, steps } = fixture;
const { tensors: expected } = decodeSafetensors(
  readFileSync(join(__dirname, "fixtures", "trajectory.safetensors")),
  "the fixture",
);

/** The weights and running averages that both encoders start from. */
const start = hashedState(
  Object.fromEntries(
    [...expected]
      .filter(([name]) => name.startsWith("encoder_q."))
      .map(([name, { shape }]) => [name.slice("encoder_q.".length), shape]),
  ),
);

it("MoCo v2 with shuffling BN in two groups walks the path of a PyTorch program in double precision", () => {
  const encoderConfig: EncoderConfig = {
    architecture: "resnet18",
    width: config.width,
    stem: "cifar",
    head: "mlp",
    dimension: config.dimension,
  };
  const moco: Moco = {
    config: { ...config, encoder: encoderConfig, bnGroups: config.groups, shuffleBN: true, symmetric: false },
    queryEncoder: startingEncoder(encoderConfig),
    keyEncoder: startingEncoder(encoderConfig),
    queue: new KeyQueue(
      tf.tidy(() =>
        normaliseRows(
          tf.tensor2d(hashed(1000, config.queueSize * config.dimension, -1, 1), [config.queueSize, config.dimension]),
        ),
      ),
    ),
  };
  const optimiser = Sgd.create(moco.queryEncoder.parameters);

  steps.forEach(({ rate, permutation, loss, accuracy }, step) => {
    const query = hashedImages(2000 + 2 * step, config.batch, config.size);
    const key = hashedImages(2001 + 2 * step, config.batch, config.size);
    const result = mocoStep(moco, query, key, () => Int32Array.from(permutation));
    expect(Math.abs(result.loss / loss - 1), `loss of step ${step + 1}`).toBeLessThan(1e-4);
    expect(result.accuracy).toBeCloseTo(accuracy, 6);
    optimiser.apply(moco.queryEncoder.parameters, result.gradients[0]!, {
      learningRate: rate,
      momentum: config.sgdMomentum,
      weightDecay: config.weightDecay,
    });
    tf.dispose([query, key, ...result.gradients]);
  });

  expect(relativeError(moco.queue.keys.dataSync(), expected.get("queue")!.values)).toBeLessThan(1e-3);
  const encoders: [string, Encoder][] = [
    ["encoder_q.", moco.queryEncoder],
    ["encoder_k.", moco.keyEncoder],
  ];
  for (const [prefix, { parameters, running }] of encoders) {
    const state = new Map([...toStateDict(parameters, prefix), ...toStateDict(running, prefix)]);
    expect([...state.keys()].sort()).toEqual([...expected.keys()].filter((name) => name.startsWith(prefix)).sort());
    for (const [name, { values }] of state) {
      // How far each tensor has come, so that the weights it started from hide nothing.
      const from = start.get(name.slice(prefix.length))!.values;
      const way = (to: Float32Array) => to.map((value, index) => value - from[index]!);
      expect(relativeError(way(values), way(expected.get(name)!.values)), name).toBeLessThan(1e-3);
    }
  }
  optimiser.dispose();
  disposeMoco(moco);
});

function startingEncoder(config: EncoderConfig): Encoder {
  return {
    config,
    parameters: fromStateDict(start, encoderParameters(config), "", "the fixture"),
    running: fromStateDict(start, resNetRunningAverages(config), "", "the fixture"),
  };
}
