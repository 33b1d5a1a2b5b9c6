import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { tf } from "../../src/engine/tf";
import { ParameterVector } from "../../src/nn/parameters";
import { fromStateDict, toStateDict } from "../../src/weights/state-dict";

// One tensor of each rank; the convolution is [height 1, width 2, in 2, out 3].
const entries = [
  { name: "conv1.weight", shape: [1, 2, 2, 3] },
  { name: "fc.weight", shape: [2, 3] },
  { name: "fc.bias", shape: [3] },
];
const create = () => new ParameterVector(entries, tf.range(0, 21));

describe("a state dict", () => {
  it("has PyTorch's names and layouts", () => {
    const parameters = create();
    const state = toStateDict(parameters, "encoder_q.");
    parameters.dispose();
    expect([...state.keys()]).toEqual(["encoder_q.conv1.weight", "encoder_q.fc.weight", "encoder_q.fc.bias"]);
    // [out, in, height, width]: the value of out o, in i, column x was 6 x + 3 i + o.
    const convolution = state.get("encoder_q.conv1.weight")!;
    expect(convolution.shape).toEqual([3, 2, 1, 2]);
    expect([...convolution.values]).toEqual([0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11]);
    const linear = state.get("encoder_q.fc.weight")!;
    expect(linear.shape).toEqual([3, 2]);
    expect([...linear.values]).toEqual([12, 15, 13, 16, 14, 17]);
    expect([...state.get("encoder_q.fc.bias")!.values]).toEqual([18, 19, 20]);
  });

  it("comes back into the engine bit for bit, and leaves no tensor behind", () => {
    const before = tf.memory().numTensors;
    const parameters = create();
    const again = fromStateDict(toStateDict(parameters, "a."), entries, "a.", "test");
    expect(again.values.dataSync()).toEqual(parameters.values.dataSync());
    parameters.dispose();
    again.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("that does not fit is refused with all that is wrong", () => {
    const state = new Map([
      ["a.conv1.weight", { shape: [3, 2, 2, 1], values: new Float32Array(12) }],
      ["a.fc.bias", { shape: [3], values: new Float32Array(3) }],
    ]);
    const load = () => fromStateDict(state, entries, "a.", "weights.safetensors");
    expect(load).toThrow(InputError);
    expect(load).toThrow(
      "Cannot load the network from weights.safetensors: it does not fit.\n" +
        "  wrong shape: a.conv1.weight is [3, 2, 2, 1], expected [3, 2, 1, 2]\n" +
        "  missing: a.fc.weight",
    );
  });
});
