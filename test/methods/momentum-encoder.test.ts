import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";
import { updateMomentumEncoder } from "../../src/methods/momentum-encoder";
import { createEncoder, disposeEncoder, type Encoder } from "../../src/nn/encoder";
import { relativeError } from "../engine/double-precision";

const config = { architecture: "resnet18", width: 2, stem: "cifar", head: "linear", dimension: 4 } as const;
const create = (seed: number) => createEncoder(config, randomStream(seed, "test"));
const valuesOf = ({ parameters }: Encoder) => parameters.values.dataSync<"float32">();

describe("the momentum update", () => {
  it("with m = 0 copies the query encoder", () => {
    const [query, key] = [create(1), create(2)];
    updateMomentumEncoder(key, query, { momentum: 0 });
    expect(valuesOf(key)).toEqual(valuesOf(query));
    [query, key].forEach(disposeEncoder);
  });

  it("with m keeps that share of the key encoder, for each parameter, and leaves the query encoder alone", () => {
    const [query, key] = [create(1), create(2)];
    const [q, k] = [valuesOf(query), valuesOf(key)];
    updateMomentumEncoder(key, query, { momentum: 0.999 });
    expect(
      relativeError(
        valuesOf(key),
        k.map((value, index) => 0.999 * value + 0.001 * q[index]!),
      ),
    ).toBeLessThan(1e-6);
    expect(valuesOf(query)).toEqual(q);
    [query, key].forEach(disposeEncoder);
  });

  it("does not touch the running averages", () => {
    const [query, key] = [create(1), create(2)];
    query.running.replace(tf.fill([query.running.size], 7));
    const before = key.running.values.dataSync();
    updateMomentumEncoder(key, query, { momentum: 0.5 });
    expect(key.running.values.dataSync()).toEqual(before);
    [query, key].forEach(disposeEncoder);
  });

  it("leaves no tensor behind", () => {
    const [query, key] = [create(1), create(2)];
    const before = tf.memory().numTensors;
    updateMomentumEncoder(key, query, { momentum: 0.9 });
    expect(tf.memory().numTensors).toBe(before);
    [query, key].forEach(disposeEncoder);
  });
});
