import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, describe, expect, it, vi } from "vitest";
import { InputError } from "../../src/errors";
import { createProgram } from "../../src/engine/program";
import { copyTensor } from "../../src/engine/recording";
import { tf } from "../../src/engine/tf";
import { Variable } from "../../src/engine/variable";
import { withoutGradient } from "../../src/engine/without-gradient";

afterEach(() => vi.unstubAllEnvs());

const values = (tensor: tf.Tensor) => [...tensor.dataSync()];
const graphFolders = () => readdirSync(tmpdir()).filter((name) => name.startsWith("moco-kit-graph-")).length;

it("a program says where it would be recorded when there is no folder for temporary files", () => {
  vi.stubEnv("TMPDIR", "/proc/nowhere");
  expect(accumulator).toThrow(InputError);
  expect(accumulator).toThrow(
    /^Cannot write \/proc\/nowhere\/moco-kit-graph-.*: its folder does not exist \(ENOENT\); it needs \d+ bytes\..* TMPDIR names\./,
  );
});

/** sum <- sum + x, with the square of x beside it. */
function accumulator() {
  const sum = new Variable("sum", tf.tensor1d([0, 0]));
  const program = createProgram({
    add: {
      inputs: { x: { shape: [2] } },
      compute: ({ x }) => {
        sum.assign(tf.add(sum.value, x!));
        return { square: tf.square(x!), before: tf.add(sum.value, 0) };
      },
    },
  });
  return { sum, program };
}

describe.each(["recorded", "op by op"])("a program, %s", (form) => {
  it("computes its outputs, and keeps its state from run to run", () => {
    if (form === "op by op") vi.stubEnv("MOCO_OP_BY_OP", "1");
    const { sum, program } = accumulator();
    for (const [first, expected] of [
      [1, [1, 2]],
      [10, [11, 4]],
    ] as const) {
      const x = tf.tensor1d([first, 2]);
      const { square, before } = program.run("add", { x });
      expect(values(square)).toEqual([first ** 2, 4]);
      expect(values(before)).toEqual(expected);
      expect(values(sum.value)).toEqual(expected);
      tf.dispose([x, square, before]);
    }
    program.dispose();
    expect(values(sum.value)).toEqual([11, 4]);
    sum.dispose();
  });

  it("takes over what is assigned outside of it", () => {
    if (form === "op by op") vi.stubEnv("MOCO_OP_BY_OP", "1");
    const { sum, program } = accumulator();
    const x = tf.tensor1d([1, 1]);
    tf.dispose(Object.values(program.run("add", { x })));
    sum.assign(tf.tensor1d([5, 6]));
    tf.dispose(Object.values(program.run("add", { x })));
    expect(values(sum.value)).toEqual([6, 7]);
    program.dispose();
    tf.dispose(x);
    sum.dispose();
  });
});

describe("a program", () => {
  it("shares a variable with another program", () => {
    const { sum, program } = accumulator();
    const other = createProgram({ double: { inputs: {}, compute: () => ({ twice: tf.mul(sum.value, 2) }) } });
    const x = tf.tensor1d([1, 2]);
    for (const expected of [
      [2, 4],
      [4, 8],
    ]) {
      tf.dispose(Object.values(program.run("add", { x })));
      const { twice } = other.run("double", {});
      expect(values(twice)).toEqual(expected);
      twice.dispose();
    }
    program.dispose();
    other.dispose();
    x.dispose();
    sum.dispose();
  });

  it("changes nothing by recording", () => {
    const { sum, program } = accumulator();
    expect(values(sum.value)).toEqual([0, 0]);
    program.dispose();
    sum.dispose();
  });

  it("differentiates inside, and stops the gradient where it is told to", () => {
    const w = new Variable("w", tf.tensor1d([2]));
    const program = createProgram({
      gradient: {
        inputs: { x: { shape: [1] } },
        compute: ({ x }) => {
          const slope = (f: (w: tf.Tensor) => tf.Tensor) => tf.grad(f)(w.value);
          return {
            through: slope((v) => tf.mul(tf.mul(v, v), x!)),
            stopped: slope((v) =>
              tf.mul(
                withoutGradient(() => tf.mul(v, 1)),
                tf.mul(v, x!),
              ),
            ),
          };
        },
      },
    });
    const x = tf.tensor1d([3]);
    const { through, stopped } = program.run("gradient", { x });
    expect(values(through)).toEqual([12]);
    expect(values(stopped)).toEqual([6]);
    program.dispose();
    tf.dispose([x, through, stopped]);
    w.dispose();
  });

  it.each([
    ["given values", () => tf.tensor1d([1, 2])],
    ["computed", () => tf.tidy(() => tf.add(tf.tensor1d([1, 2]), 1))],
  ])("refuses a tensor from outside, %s, and names the operation that uses it", (_, make) => {
    const outside = make();
    const record = () =>
      createProgram({ f: { inputs: { x: { shape: [2] } }, compute: ({ x }) => ({ y: tf.sub(x!, outside) }) } });
    expect(record).toThrow("Cannot record the function: the tensor of Sub, input 1 is not part of it");
    outside.dispose();
  });

  it("refuses two variables that share a tensor", () => {
    const tensor = tf.tensor1d([1, 2]);
    const [a, b] = [new Variable("a", tensor), new Variable("b", tf.clone(tensor))];
    const record = () => createProgram({ f: { inputs: {}, compute: () => ({ y: tf.add(a.value, b.value) }) } });
    expect(record).toThrow("the variable b and the variable a share one tensor");
    a.dispose();
    b.dispose();
  });

  it("takes copies of a tensor as different ones", () => {
    const tensor = tf.tensor2d([1, 2], [1, 2]);
    const [a, b] = [new Variable("a", tensor), new Variable("b", copyTensor(tensor))];
    const program = createProgram({ f: { inputs: {}, compute: () => ({ y: tf.add(a.value, b.value) }) } });
    const { y } = program.run("f", {});
    expect(y.arraySync()).toEqual([[2, 4]]);
    program.dispose();
    tf.dispose(y);
    a.dispose();
    b.dispose();
  });

  it("refuses to read a value while it records", () => {
    const record = () =>
      createProgram({
        f: { inputs: { x: { shape: [2] } }, compute: ({ x }) => ({ y: tf.mul(x!, tf.add(x!, 1).dataSync()[0]!) }) },
      });
    expect(record).toThrow("Cannot record the function: it reads a value");
  });

  it.each([
    ["another shape", () => ({ x: tf.zeros([3]) }), "its input x was recorded as float32 [2], given is float32 [3]"],
    ["another type", () => ({ x: tf.zeros([2], "int32") }), "recorded as float32 [2], given is int32 [2]"],
    ["none", () => ({}), "its input x is missing"],
    ["one too many", () => ({ x: tf.zeros([2]), z: tf.zeros([2]) }), "it has no input z"],
  ])("refuses an input: %s", (_, make, message) => {
    const { sum, program } = accumulator();
    const inputs = make();
    expect(() => program.run("add", inputs)).toThrow(message);
    tf.dispose(Object.values(inputs));
    program.dispose();
    sum.dispose();
  });

  it("refuses to run after dispose, and to use a variable that was disposed", () => {
    const { sum, program } = accumulator();
    program.dispose();
    const x = tf.tensor1d([1, 1]);
    expect(() => program.run("add", { x })).toThrow("Cannot run add: the program was disposed");
    sum.dispose();
    expect(() => sum.value).toThrow("Cannot use sum: its memory was freed by dispose(), make it anew");
    x.dispose();
  });

  it("leaves no tensor, no session and no file, over many runs and recordings, also where they fail", () => {
    const { sum, program } = accumulator();
    const x = tf.tensor1d([1, 1]);
    const run = () => tf.dispose(Object.values(program.run("add", { x })));
    run();
    const outside = tf.tensor1d([1, 2]);
    const before = { tensors: tf.memory().numTensors, folders: graphFolders() };
    const sizes: number[] = [];
    for (let round = 0; round < 50; round++) {
      for (let step = 0; step < 20; step++) run();
      const small = accumulator();
      tf.dispose(Object.values(small.program.run("add", { x })));
      small.program.dispose();
      small.sum.dispose();
      expect(() =>
        createProgram({ f: { inputs: { x: { shape: [2] } }, compute: (of) => ({ y: tf.sub(of["x"]!, outside) }) } }),
      ).toThrow();
      sizes.push(process.memoryUsage().rss);
    }
    expect({ tensors: tf.memory().numTensors, folders: graphFolders() }).toEqual(before);
    // 1,000 runs and 100 recordings: TensorFlow's and V8's own pools are filled in the first half.
    expect(sizes.at(-1)! - sizes[25]!).toBeLessThan(16 * 2 ** 20);
    expect(values(sum.value)).toEqual([1001, 1001]);
    tf.dispose([x, outside]);
    program.dispose();
    sum.dispose();
  });
});
