import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createProgram } from "../../src/engine/program";
import { recordFunction } from "../../src/engine/record-function";
import { sessionsHaveOwnThreads, threadsOf, withSessionThreads } from "../../src/engine/session-threads";
import { tf } from "../../src/engine/tf";

afterEach(() => vi.unstubAllEnvs());

const cores = availableParallelism();

describe("the threads of a session's operations", () => {
  it("are a share of the cores for each that runs at a time, where convolutions are small", () => {
    expect(threadsOf({ atOnce: 2, largestConvolution: 3e8 })).toBe(Math.ceil(cores / 2));
    expect(threadsOf({ atOnce: 2, largestConvolution: 0 })).toBe(Math.ceil(cores / 2));
  });

  it("are all cores where one runs at a time, or where convolutions are large", () => {
    expect(threadsOf({ atOnce: 1, largestConvolution: 0 })).toBe(cores);
    expect(threadsOf({ atOnce: 2, largestConvolution: 2.4e9 })).toBe(cores);
  });

  it("are told to the addon while the session is made, and no longer, also when that fails", () => {
    void tf.version_core;
    const told = () => process.env["MOCO_SESSION_THREADS"];
    vi.stubEnv("TF_NUM_INTRAOP_THREADS", undefined);
    expect(sessionsHaveOwnThreads()).toBe(true);
    expect([withSessionThreads(1, told), told()]).toEqual(["1", "0"]);
    const fails = () => {
      throw new Error("no session");
    };
    expect(() => withSessionThreads(1, fails)).toThrow("no session");
    expect(told()).toBe("0");
  });

  it("are TensorFlow's where the user has set them", () => {
    vi.stubEnv("TF_NUM_INTRAOP_THREADS", "3");
    expect(sessionsHaveOwnThreads()).toBe(false);
    expect(withSessionThreads(1, () => process.env["MOCO_SESSION_THREADS"])).toBe("0");
  });
});

/** A convolution of 2 images of 8 px and 3 channels with 4 filters of 3 x 3, and one of its result with one of 1 x 1. */
function convolutions() {
  return {
    inputs: { images: { shape: [2, 8, 8, 3] }, filters: { shape: [3, 3, 3, 4] } },
    compute: ({ images, filters }: Readonly<Record<string, tf.Tensor>>) => {
      const maps = tf.conv2d(images as tf.Tensor4D, filters as tf.Tensor4D, 1, "same");
      return { maps: tf.conv2d(maps, tf.ones<tf.Rank.R4>([1, 1, 4, 1]), 1, "same") };
    },
  };
}

describe("a recorded function", () => {
  it("knows the multiplications of its largest convolution", () => {
    expect(recordFunction(convolutions(), "f_").largestConvolution).toBe(2 * 8 * 8 * 4 * (3 * 3 * 3));
    const sum = {
      inputs: { x: { shape: [2] } },
      compute: ({ x }: Readonly<Record<string, tf.Tensor>>) => ({ y: tf.sum(x!) }),
    };
    expect(recordFunction(sum, "f_").largestConvolution).toBe(0);
  });
});

it("the threads of a session end with it", () => {
  const threads = () => readdirSync("/proc/self/task").length;
  const makeAndRun = () => {
    const program = createProgram({ convolve: convolutions() }, { atOnce: 2 });
    const inputs = { images: tf.ones([2, 8, 8, 3]), filters: tf.ones([3, 3, 3, 4]) };
    tf.dispose([...Object.values(program.run("convolve", inputs)), ...Object.values(inputs)]);
    program.dispose();
  };
  makeAndRun();
  const before = threads();
  for (let time = 0; time < 20; time++) makeAndRun();
  expect(threads()).toBe(before);
});
