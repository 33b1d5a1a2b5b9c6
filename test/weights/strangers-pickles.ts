import fc from "fast-check";

const uint32 = (value: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes.toString("latin1");
};
const text = (value: string): string => `\x8c${String.fromCharCode(value.length)}${value}`;
const int = (value: number): string => `J${uint32(value)}`;
const global = (module: string, name: string): string => `c${module}\n${name}\n`;

const names = ["state_dict", "model", "w", "0", "storage", "cpu", "latin1", "f4", "<", "__proto__", "constructor"];
const numbers = [0, 1, 2, 3, 4, -1, 2 ** 31 - 1];

/** What any pickle may hold: operations that push, and those that combine what was pushed. */
const common: readonly string[] = [
  ...["(", "0", "1", "N", "\x88", "\x89", "]", "}", ")", "\x8f", "t", "l", "\x85", "\x86", "\x87", "a", "e", "\x90"],
  ...["s", "u", "R", "\x81", "\x92", "b", "Q", "\x94", "q\0", "h\0", "h\x01", "q\x01", "\x93", ".", "\x91", "2", "o"],
  ...names.map(text),
  ...numbers.map(int),
  "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", // LONG1
  "G\x7f\xf0\0\0\0\0\0\0", // BINFLOAT, infinity
  "C\x04abcd",
  "\x80\x02",
  global("collections", "OrderedDict"),
  global("posix", "system"),
  global("constructor", "constructor"),
];

const shape = `(${int(3)}t`;
const strides = `(${int(1)}t`;

/** Pieces that follow a format, which random operations alone would seldom make. */
const ofFormat = {
  torch: [
    global("torch", "FloatStorage"),
    global("torch", "LongStorage"),
    global("torch._utils", "_rebuild_tensor_v2"),
    global("torch._utils", "_rebuild_parameter"),
    global("torch._tensor", "_rebuild_from_type_v2"),
    `(${text("storage")}${global("torch", "FloatStorage")}${text("0")}${text("cpu")}${int(3)}tQ`,
    shape,
    strides,
    `${global("torch._utils", "_rebuild_tensor_v2")}((${text("storage")}${global("torch", "FloatStorage")}${text("0")}` +
      `${text("cpu")}${int(3)}tQ${int(0)}${shape}${strides}\x89${global("collections", "OrderedDict")})RtR`,
  ],
  numpy: [
    global("numpy", "ndarray"),
    global("numpy", "dtype"),
    global("numpy.core.multiarray", "_reconstruct"),
    global("numpy._core.numeric", "_frombuffer"),
    global("_codecs", "encode"),
    `(${text("abcd")}${text("latin1")}t`,
    `${global("numpy", "dtype")}(${text("f4")}\x89\x88tR(${int(3)}${text("<")}NNN${int(-1)}${int(-1)}${int(0)}tb`,
    `${global("numpy.core.multiarray", "_reconstruct")}(${global("numpy", "ndarray")}(${int(0)}tC\x01btR(${int(1)}(${int(1)}t` +
      `${global("numpy", "dtype")}(${text("f4")}\x89\x88tR(${int(3)}${text("<")}NNN${int(-1)}${int(-1)}${int(0)}tb\x89C\x04abcdtb`,
  ],
} as const;

/** Operations of a pickle, as Latin-1 text; often within a dictionary under a name, as a state dict is. */
export function strangersPickles(format: keyof typeof ofFormat): fc.Arbitrary<readonly string[]> {
  const piece = fc.oneof(fc.constantFrom(...common), fc.constantFrom(...ofFormat[format]));
  const whole = fc.constant(ofFormat[format].at(-1)!);
  const entry = fc
    .tuple(fc.constantFrom(...names), fc.oneof({ weight: 3, arbitrary: whole }, { weight: 1, arbitrary: piece }))
    .map(([name, value]) => `${text(name)}${value}`);
  const dictionary = fc.array(entry, { maxLength: 4 }).map((entries) => ["}(", ...entries, "u."]);
  const damaged = fc.tuple(dictionary, fc.nat(), fc.array(piece, { maxLength: 4 })).map(([operations, at, pieces]) => {
    const place = at % (operations.length + 1);
    return [...operations.slice(0, place), ...pieces, ...operations.slice(place + (at % 2))];
  });
  return fc.oneof(
    fc.array(piece, { maxLength: 40 }).map((pieces) => [...pieces, "."]),
    dictionary,
    damaged,
  );
}

/** @param operations - after the protocol */
export function pickleOf(operations: readonly string[]): Buffer {
  return Buffer.from(`\x80\x02${operations.join("")}`, "latin1");
}
