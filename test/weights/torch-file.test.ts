import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { failureOf } from "../../src/weights/read-failure";
import { decodeSafetensors, type StoredTensor } from "../../src/weights/safetensors";
import { isTorchFile, readTorchFile } from "../../src/weights/torch-file";
import { writeStoredZip } from "./zip-writer";

const fixtures = join(__dirname, "fixtures");
const bytesOf = (name: string) => readFileSync(join(fixtures, name));
const read = (bytes: Buffer) => readTorchFile(bytes, failureOf("a.pth"));

/** What Python's safetensors package wrote of the same tensors. */
function expected(name: string): Map<string, StoredTensor> {
  const { tensors, integers } = decodeSafetensors(bytesOf(`${name}.safetensors`), name);
  return new Map<string, StoredTensor>([...tensors, ...integers]);
}

/** Shape and bits of every tensor. */
function bits(tensors: ReadonlyMap<string, StoredTensor>): Record<string, string> {
  return Object.fromEntries(
    [...tensors].map(([name, { shape, values }]) => [
      name,
      `[${shape.join(", ")}] ${Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex")}`,
    ]),
  );
}

/** A zip archive as PyTorch writes it, around a pickle of a state dict of one tensor of three numbers. */
function zipFile(changes: Record<string, Buffer> = {}): Buffer {
  const entries = {
    "a/data.pkl": tensorPickle(),
    "a/byteorder": Buffer.from("little"),
    "a/data/0": Buffer.from(Float32Array.of(1, 2, 3).buffer),
    ...changes,
  };
  return writeStoredZip(Object.entries(entries));
}

interface Place {
  readonly type?: string;
  readonly count?: number;
  readonly offset?: number;
  readonly shape?: readonly number[];
  readonly strides?: readonly number[];
  readonly name?: string;
  readonly key?: string;
}

/** The pickle of {name: tensor}. */
function tensorPickle(place: Place = {}): Buffer {
  const { type = "FloatStorage", count = 3, offset = 0, shape = [3], strides = [1], name = "w", key = "0" } = place;
  const int = (value: number) => {
    const bytes = Buffer.alloc(5, "J");
    bytes.writeInt32LE(value, 1);
    return bytes.toString("latin1");
  };
  const text = (value: string) => `\x8c${String.fromCharCode(value.length)}${value}`;
  const storage = `(${text("storage")}ctorch\n${type}\n${text(key)}${text("cpu")}${int(count)}tQ`;
  const tuple = (values: readonly number[]) => `(${values.map(int).join("")}t`;
  const tensor =
    `ctorch._utils\n_rebuild_tensor_v2\n(${storage}${int(offset)}${tuple(shape)}${tuple(strides)}` +
    `\x89ccollections\nOrderedDict\n)RtR`;
  return Buffer.from(`\x80\x02}(${text(name)}${tensor}u.`, "latin1");
}

describe.each([
  ["moco-v2", "moco-v2.zip.pth.tar"],
  ["moco-v1", "moco-v1.legacy.pth.tar"],
  ["odd-tensors", "odd-tensors.zip.pth"],
  ["odd-tensors", "odd-tensors.legacy.pth"],
])("the tensors of %s", (name, file) => {
  it(`in ${file} are PyTorch's, bit for bit`, () => {
    expect(isTorchFile(bytesOf(file))).toBe(true);
    expect(bits(read(bytesOf(file)))).toEqual(bits(expected(name)));
  });
});

describe("a checkpoint of another project", () => {
  const weights = {
    weight: { shape: [2, 2], values: Float32Array.of(1.5, -2, 0.25, 8) },
    count: { shape: [], values: BigInt64Array.of(7n) },
  };
  const readForeign = (name: string) => Object.fromEntries(read(bytesOf(`foreign-${name}.pth`)));

  it.each(["bare", "model-state-dict", "net", "classy", "teacher"])("%s gives its state dict", (name) => {
    expect(readForeign(name)).toEqual(weights);
  });

  it("lightning gives its state dict; hyper-parameters and callbacks, which are code, are passed over", () => {
    expect(readForeign("lightning")).toEqual({ "model.weight": weights.weight, "model.count": weights.count });
  });

  it("may have everything beside its tensors that PyTorch's own safe loader allows", () => {
    const parameter = { shape: [1], values: Float32Array.of(3) };
    const typed = { shape: [2], values: Float32Array.of(4, 5) };
    expect(readForeign("allowed")).toEqual({ parameter, typed, ...weights });
  });

  // How torch.save writes each; none of them runs anything in PyTorch's safe loader.
  it.each([
    ["torch.Size", "ctorch\nSize\n(K\x02K\x03t\x85R"],
    ["collections.Counter", "ccollections\nCounter\n}(KxK\x01u\x85R"],
    ["torch.device", "ctorch\ndevice\n\x8c\x03cpu\x85R"],
    ["a data type", "ctorch\nfloat16\n"],
    ["a set of Python 2's protocol", "c__builtin__\nset\n](K\x01K\x02e\x85R"],
    ["bytes of Python 2's protocol", "c_codecs\nencode\n\x8c\x01a\x8c\x06latin1\x86R"],
    ["a complex number", "c__builtin__\ncomplex\nG\0\0\0\0\0\0\0\0K\x01\x86R"],
    ["a number", "K\x05"],
    ["text", "\x8c\x03one"],
    ["none", "N"],
  ])("may have %s among its tensors, which is passed over", (_, value) => {
    const one = tensorPickle().toString("latin1").slice(4, -2); // name and tensor
    const pickle = Buffer.from(`\x80\x02}(${one}\x8c\x04note${value}u.`, "latin1");
    expect([...read(zipFile({ "a/data.pkl": pickle })).keys()]).toEqual(["w"]);
  });

  it("with an unknown wrapper is refused with the keys found and what is sought", () => {
    expect(() => readForeign("unknown-wrapper")).toThrow(
      "Cannot read a.pth: it has no state dict: sought is a dictionary of tensors, the file itself or under state_dict, " +
        'model, model_state_dict, net, network, classy_state_dict, base_model, trunk, teacher; its keys are "epoch", "generator_ema"',
    );
  });

  it("that is a whole module is refused by the name of its class", () => {
    expect(() => readForeign("whole-module")).toThrow(
      'it asks for Python\'s "torch.nn.modules.activation.ReLU", which could run code',
    );
  });

  it("of Python 2, whose OrderedDict has pairs, gives its state dict", () => {
    const one = tensorPickle().toString("latin1").slice(4, -2); // name and tensor
    const pickle = Buffer.from(`\x80\x02ccollections\nOrderedDict\n]](${one}ea\x85R.`, "latin1");
    expect(read(zipFile({ "a/data.pkl": pickle })).get("w")).toEqual({ shape: [3], values: Float32Array.of(1, 2, 3) });
  });
});

describe("a zip file of PyTorch", () => {
  it("gives its tensors", () => {
    expect(read(zipFile()).get("w")).toEqual({ shape: [3], values: Float32Array.of(1, 2, 3) });
  });

  it.each([
    ["numbers of a big-endian machine", { "a/byteorder": Buffer.from("big") }, "not little-endian"],
    ["no pickle", { "a/data.pkl": undefined }, "a zip archive with 0 data.pkl"],
    ["two pickles", { "b/data.pkl": tensorPickle() }, "a zip archive with 2 data.pkl"],
    ["a storage missing", { "a/data/0": undefined }, 'no entry "a/data/0"'],
    ["a storage cut short", { "a/data/0": Buffer.alloc(8) }, "its storage 0 has a wrong length"],
  ])("with %s is refused", (_, changes: Record<string, Buffer | undefined>, message) => {
    const entries = Object.entries({ "a/data.pkl": tensorPickle(), "a/data/0": Buffer.alloc(12), ...changes });
    const file = writeStoredZip(entries.filter((entry): entry is [string, Buffer] => entry[1] !== undefined));
    expect(() => read(file)).toThrow(`Cannot read a.pth: `);
    expect(() => read(file)).toThrow(message);
  });

  it.each<[string, Place, string]>([
    ["beyond its storage", { offset: 1 }, 'the values of "w" do not lie within their storage of 3'],
    ["made out of one number by a stride of 0", { shape: [1_000_000], strides: [0] }, "do not lie within"],
    ["with a stride too long", { shape: [2], strides: [3] }, "do not lie within"],
    ["with fewer strides than axes", { shape: [1, 3] }, '"w" has no valid place in its storage'],
    ["with a negative size", { shape: [-1, -3], strides: [1, 1] }, '"w" has no valid shape'],
    ["with a negative offset", { offset: -1 }, '"w" has no valid place'],
    ["of a negative count", { count: -3 }, "refers to a storage in an unknown way"],
    ["of another type", { type: "IntStorage" }, '"w" is of type int32: only floating point and int64 are read'],
    ["of a type that is no type", { type: "load" }, 'Python\'s "torch.load"'],
    ["with a name that writes to the terminal", { name: "\x1b[2J" }, '"\\u001b[2J" is no name of a tensor'],
    ["of a storage elsewhere in the archive", { key: "../data" }, "a storage's key is no number"],
  ])("with a tensor %s is refused", (_, place, message) => {
    expect(() => read(zipFile({ "a/data.pkl": tensorPickle(place) }))).toThrow(message);
  });

  // torch/_weights_only_unpickler.py: what is not on its list of allowed globals, types of storages and torch._utils'
  // functions for rebuilding, is refused by its name, whatever it is called with.
  it.each([
    "posix.system",
    "builtins.eval",
    "builtins.getattr",
    "torch.load",
    "torch.hub.load",
    "numpy.core.multiarray.scalar",
  ])("with %s in place of a tensor is refused, by the rule of PyTorch's weights_only", (name) => {
    const at = name.lastIndexOf(".");
    const call = `c${name.slice(0, at)}\n${name.slice(at + 1)}\n\x8c\x02ls\x85R`;
    for (const value of [call, call.slice(0, -1 - "\x8c\x02ls\x85".length)]) {
      const pickle = Buffer.from(`\x80\x02}(\x8c\x01w${value}u.`, "latin1");
      expect(() => read(zipFile({ "a/data.pkl": pickle }))).toThrow(
        `it asks for Python's "${name}", which could run code`,
      );
    }
  });

  it("with a tensor that is rebuilt by arguments that hold themselves is refused", () => {
    const rebuild = "ctorch._tensor\n_rebuild_from_type_v2\n";
    const pickle = Buffer.from(`\x80\x02}(\x8c\x01w]q\x00(${rebuild}Nh\x00e0${rebuild}h\x00Ru.`, "latin1");
    expect(() => read(zipFile({ "a/data.pkl": pickle }))).toThrow("a tensor is rebuilt as one that is rebuilt");
  });

  it("with float64 numbers that float32 cannot hold is refused, with an example", () => {
    const file = zipFile({
      "a/data.pkl": tensorPickle({ type: "DoubleStorage" }),
      "a/data/0": Buffer.from(Float64Array.of(0.5, 0.1, 1).buffer),
    });
    expect(() => read(file)).toThrow('"w" has float64 numbers that float32 cannot hold, for example 0.1');
  });

  it("whose tensors would take many times its length is refused", () => {
    // One storage, shown a hundred times over.
    const one = tensorPickle({ count: 1000, shape: [1000] })
      .subarray(4, -2)
      .toString("latin1"); // name and tensor
    const many = Array.from({ length: 100 }, (_, index) => one.replace("\x01w", `\x03w${10 + index}`.slice(0, 4)));
    const pickle = Buffer.from(`\x80\x02}(${many.join("")}u.`, "latin1");
    const file = zipFile({ "a/data.pkl": pickle, "a/data/0": Buffer.alloc(4000) });
    expect(() => read(file)).toThrow(/take more than 8 times the file's length/);
  });
});

describe("a legacy file of PyTorch", () => {
  const bytes = bytesOf("tiny.legacy.pth");

  it("of a big-endian machine is refused", () => {
    const file = Buffer.from(bytes);
    file[file.indexOf("little_endian") + "little_endian".length + 2] = 0x89; // NEWFALSE
    expect(() => read(file)).toThrow("its numbers are not little-endian");
  });

  it("of a format that is nested deep is refused", () => {
    const start = Buffer.from("80028a0a6cfc9c46f9206aa850192e", "hex");
    const file = Buffer.concat([start, Buffer.from(`\x80\x02]${"\x85".repeat(100_000)}.`, "latin1")]);
    expect(() => read(file)).toThrow("its format is no number, only 1001 is known");
  });

  it("cut short anywhere is refused", () => {
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      if (isTorchFile(cut)) expect(() => read(cut), `cut to ${length} bytes`).toThrow("Cannot read a.pth: ");
    }
  });
});
