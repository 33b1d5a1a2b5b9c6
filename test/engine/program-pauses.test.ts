import { afterEach, describe, expect, it, vi } from "vitest";
import { createProgram } from "../../src/engine/program";
import { tf } from "../../src/engine/tf";
import { Variable } from "../../src/engine/variable";

afterEach(() => vi.unstubAllEnvs());

const values = (tensor: tf.Tensor) => [...tensor.dataSync()];

/**
 * Two pauses: hands out squares, takes rows of any number, hands out their sum, takes a factor; the weights move by the
 * gradient of what comes out of all.
 */
function chooser() {
  const weights = new Variable("weights", tf.tensor1d([1, 2, 3]));
  const program = createProgram({
    choose: {
      inputs: { x: { shape: [3] } },
      pauses: {
        rows: { rows: { shape: ["rows", 3] }, shares: { shape: ["rows"] } },
        factor: { factor: { shape: [] } },
      },
      compute: ({ x }, pause) => {
        const { value, grad } = tf.valueAndGrad((w) => {
          const squares = tf.square(tf.mul(w, x!));
          const { rows, shares } = pause("rows", { squares });
          // The mean and its gradient know how many rows there are.
          const products = tf.mul(tf.matMul(rows as tf.Tensor2D, squares.as2D(3, 1)).as1D(), shares!);
          const mean = tf.mean(products);
          const { factor } = pause("factor", { mean });
          return tf.add(tf.mul(mean, factor!), tf.sum(w));
        })(weights.value);
        weights.assign(tf.sub(weights.value, tf.mul(grad as tf.Tensor1D, 0.1)));
        return { value, grad };
      },
    },
  });
  const run = (x: number[], rows: number[][], factor: number) => {
    const seen: number[][] = [];
    const input = tf.tensor1d(x);
    const outputs = program.run(
      "choose",
      { x: input },
      {
        rows: ({ squares }) => {
          seen.push(values(squares!));
          return { rows: tf.tensor2d(rows, [rows.length, 3]), shares: tf.ones([rows.length]) };
        },
        factor: ({ mean }) => {
          seen.push(values(mean!));
          return { factor: tf.scalar(factor) };
        },
      },
    );
    const result = { seen, value: values(outputs["value"]), grad: values(outputs["grad"]) };
    tf.dispose([input, { ...outputs }]);
    return result;
  };
  const dispose = () => {
    program.dispose();
    weights.dispose();
  };
  return { weights, program, run, dispose };
}

describe.each(["recorded", "op by op"])("a program that pauses, %s", (form) => {
  it("hands values out, and goes on with what was decided, in any number of rows", () => {
    if (form === "op by op") vi.stubEnv("MOCO_OP_BY_OP", "1");
    const { weights, run, dispose } = chooser();
    const before = tf.memory().numTensors;
    const one = run([1, 1, 2], [[1, 0, 1]], 2);
    // Squares (w x)^2: 1, 4, 36. The gradient: 1 + 2 * 2 w x^2 where a row has a 1.
    expect(one.seen).toEqual([[1, 4, 36], [37]]);
    expect(one.value).toEqual([2 * 37 + 6]);
    expect(one.grad).toEqual([5, 1, 49]);
    [0.5, 1.9, -1.9].forEach((weight, at) => expect(values(weights.value)[at]).toBeCloseTo(weight, 5));
    weights.assign(tf.tensor1d([1, 2, 3]));
    const rows = [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
      [1, 1, 1],
    ];
    const four = run([1, 1, 1], rows, 4);
    expect(four.seen).toEqual([[1, 4, 9], [7]]);
    expect(four.value).toEqual([4 * 7 + 6]);
    // Each column has two ones of four: 4 * 2 / 4 * 2 w + 1.
    expect(four.grad).toEqual([5, 9, 13]);
    // The weights are read out of the session, or not yet.
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before);
    dispose();
  });

  it("leaves its variables as they were where a decision fails, and can run again", () => {
    if (form === "op by op") vi.stubEnv("MOCO_OP_BY_OP", "1");
    const { weights, program, run, dispose } = chooser();
    run([1, 1, 1], [[1, 1, 1]], 1);
    const kept = values(weights.value);
    const x = tf.tensor1d([1, 1, 1]);
    const before = tf.memory().numTensors;
    const failing = {
      rows: () => {
        throw new Error("nothing to choose");
      },
    };
    for (let repeat = 0; repeat < 3; repeat++) {
      expect(() => program.run("choose", { x }, failing)).toThrow("nothing to choose");
    }
    expect(() => program.run("choose", { x })).toThrow("Cannot run choose: nothing decides at its pause rows");
    const wrong = { rows: () => ({ rows: tf.zeros([2, 3]), shares: tf.zeros([3]) }) };
    expect(() => program.run("choose", { x }, wrong)).toThrow(
      "Cannot run choose: its input shares was recorded as float32 [rows], where rows is 2, given is float32 [3]",
    );
    // Op by op, tfjs keeps what it has saved for a gradient that is never taken.
    if (form === "recorded") expect(tf.memory().numTensors).toBe(before);
    expect(values(weights.value)).toEqual(kept);
    const again = run([1, 1, 1], [[0, 0, 0]], 1);
    expect(again.grad).toEqual([1, 1, 1]);
    x.dispose();
    dispose();
  });
});

describe("a function with named dimensions", () => {
  const record = (compute: (rows: tf.Tensor2D) => tf.Tensor) =>
    createProgram({
      f: { inputs: { rows: { shape: ["rows", 2] } }, compute: ({ rows }) => ({ y: compute(rows as tf.Tensor2D) }) },
    });
  const run = (program: ReturnType<typeof record>, count: number) => {
    const rows = tf.tensor2d(
      Array.from({ length: 2 * count }, (_, at) => at),
      [count, 2],
    );
    const { y } = program.run("f", { rows });
    const result = { shape: y.shape, values: values(y) };
    tf.dispose([rows, y]);
    return result;
  };

  it("runs with any size, none too", () => {
    const program = record((rows) => tf.concat([rows, tf.onesLike(rows)]).reshape([-1, 4]));
    expect(run(program, 2)).toEqual({ shape: [2, 4], values: [0, 1, 2, 3, 1, 1, 1, 1] });
    expect(run(program, 6).shape).toEqual([6, 4]);
    expect(run(program, 0)).toEqual({ shape: [0, 4], values: [] });
    program.dispose();
  });

  it.each([
    ["how many operations it has", (rows: tf.Tensor2D) => (rows.shape[0] > 2 ? tf.neg(rows) : tf.neg(tf.neg(rows)))],
    ["its operation", (rows: tf.Tensor2D) => (rows.shape[0] > 2 ? tf.neg(rows) : tf.exp(rows))],
    ["a number that is no multiple", (rows: tf.Tensor2D) => tf.mul(rows, 1 / rows.shape[0])],
    [
      "a constant of several numbers",
      (rows: tf.Tensor2D) => tf.add(rows, tf.tensor2d([4, 5, 6].slice(0, rows.shape[0]), [rows.shape[0], 1])),
    ],
  ])("is refused where %s depends on a size", (what, compute) => {
    expect(() => record(compute)).toThrow(`Cannot record the function for all sizes of its named dimensions: ${what}`);
  });

  it("is refused where it does not pause as it says", () => {
    const declared = (compute: () => { y: tf.Tensor }) => ({ f: { inputs: {}, pauses: { first: {} }, compute } });
    expect(() => createProgram(declared(() => ({ y: tf.zeros([1]) })))).toThrow(
      "Cannot record the function: it does not pause for first",
    );
  });
});
