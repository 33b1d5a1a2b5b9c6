import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/cli/project";
import { InputError } from "../../src/errors";
import { encodeDetectron2, readNumpyPickle } from "../../src/weights/numpy-pickle";
import { failureOf } from "../../src/weights/read-failure";
import type { StoredTensor } from "../../src/weights/safetensors";

const read = (bytes: Buffer) => readNumpyPickle(bytes, failureOf("a.pkl"));

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "moco-pickle-"))));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs Python with numpy, in the folder of the test. */
function python(program: string): string {
  const inProject = join(projectRoot, ".venv", "bin", "python");
  return execFileSync(existsSync(inProject) ? inProject : "python3", ["-c", program], {
    cwd: folder,
    encoding: "utf8",
  });
}

const tensors = new Map<string, StoredTensor>([
  ["stem.conv1.weight", { shape: [2, 1, 1, 3], values: Float32Array.of(1, -0, Infinity, NaN, 1e-45, -3.5) }],
  ["stem.conv1.norm.num_batches_tracked", { shape: [], values: BigInt64Array.of(2n ** 40n + 1n) }],
  ["empty", { shape: [0, 4], values: new Float32Array(0) }],
]);

describe("a detectron2 file", () => {
  it("is read by Python's own pickle with numpy, bit for bit", () => {
    writeFileSync(join(folder, "weights.pkl"), encodeDetectron2(tensors));
    const printed = python(`
import json, pickle
content = pickle.load(open("weights.pkl", "rb"), encoding="latin1")
model = {name: [str(a.dtype), list(a.shape), a.tobytes().hex()] for name, a in content.pop("model").items()}
print(json.dumps([content, model]))`);
    const bits = ({ shape, values }: StoredTensor) => [
      values instanceof Float32Array ? "float32" : "int64",
      shape,
      Buffer.from(values.buffer).toString("hex"),
    ];
    expect(JSON.parse(printed)).toEqual([
      { __author__: "moco-kit", matching_heuristics: true },
      Object.fromEntries([...tensors].map(([name, tensor]) => [name, bits(tensor)])),
    ]);
  });

  it("comes back bit for bit", () => {
    expect(read(encodeDetectron2(tensors))).toEqual(tensors);
  });
});

describe("a pickle of numpy arrays", () => {
  it.each([2, 3, 4, 5])("written with protocol %i is read", (protocol) => {
    python(`
import collections, pickle, numpy as np
grid = np.arange(6, dtype="f4").reshape(2, 3) - 0.5
model = collections.OrderedDict(rows=grid, columns=np.asfortranarray(grid), half=grid.astype("f2"), double=grid.astype("f8"),
    part=grid[:, 1:], bytes=np.array([-0.0, 3e38], "f4"), count=np.array(2**40))
pickle.dump({"model": model, "__author__": "someone"}, open("numpy.pkl", "wb"), protocol=${protocol})`);
    const values = Float32Array.of(-0.5, 0.5, 1.5, 2.5, 3.5, 4.5);
    expect(Object.fromEntries(read(readFileSync(join(folder, "numpy.pkl"))))).toEqual({
      rows: { shape: [2, 3], values },
      columns: { shape: [2, 3], values },
      half: { shape: [2, 3], values },
      double: { shape: [2, 3], values },
      part: { shape: [2, 2], values: Float32Array.of(0.5, 1.5, 3.5, 4.5) },
      bytes: { shape: [2], values: Float32Array.of(-0, 3e38) },
      count: { shape: [], values: BigInt64Array.of(2n ** 40n) },
    });
  });

  it.each([
    ["numbers of a big-endian machine", 'np.arange(2, dtype=">f4")', "an array is not little-endian"],
    ["objects", "np.array([{}])", 'an array is of type "O8"'],
    ["a scalar of numpy's", "np.float32(1)", 'Python\'s "numpy._core.multiarray.scalar"'],
  ])("with %s is refused", (_, value, message) => {
    python(
      `import pickle, numpy as np\npickle.dump({"v": np.zeros(1, "f4"), "w": ${value}}, open("wrong.pkl", "wb"), protocol=4)`,
    );
    const bytes = readFileSync(join(folder, "wrong.pkl"));
    expect(() => read(bytes)).toThrow(InputError);
    expect(() => read(bytes)).toThrow(message);
  });

  it.each([
    ["a list that unfolds without end", `]${"q\x00h\x00\x86".repeat(60)}`],
    ["a list nested 100,000 deep", `]${"\x85".repeat(100_000)}`],
  ])("of a type that is %s is refused", (_, name) => {
    const pickle = Buffer.from(`\x80\x02${name}q\x01cnumpy\ndtype\nh\x01\x85R.`, "latin1");
    expect(() => read(pickle)).toThrow("an array is of type something that is no text");
  });

  it.each(["constructor", "toString", "__proto__"])("of a type that objects have by the name %s is refused", (name) => {
    const pickle = `\x80\x02cnumpy\ndtype\n\x8c${String.fromCharCode(name.length)}${name}\x85R.`;
    expect(() => read(Buffer.from(pickle, "latin1"))).toThrow(`an array is of type "${name}"`);
  });
});
