import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { failureOf } from "../../src/weights/read-failure";
import { PickleGlobal, refuseObject, unpickle, UnreadObject } from "../../src/weights/unpickle";

const globals = [
  new PickleGlobal("collections.OrderedDict", () => new Map()),
  new PickleGlobal("torch.FloatStorage"), // a class: only handed on
];
const options = { globals, fail: failureOf("a.pkl") };

/** Reads operations given as Latin-1 text. */
const read = (operations: string) => unpickle(Buffer.from(operations, "latin1"), options).value;

describe("unpickle", () => {
  it.each<[string, string, unknown]>([
    ["none, true and false", "(N\x88\x89t.", [null, true, false]],
    ["integers", "(K\xffM\xff\xffJ\xfe\xff\xff\xff\x8a\x00\x8a\x01\x80t.", [255, 65535, -2, 0, -128]],
    ["integers beyond double precision", "\x8a\x08\x01\x00\x00\x00\x00\x00\x00\x40.", 2n ** 62n + 1n],
    ["numbers", "G\xbf\xf8\x00\x00\x00\x00\x00\x00.", -1.5],
    [
      "text",
      "(X\x02\x00\x00\x00\xc3\xa9\x8c\x01a\x8d\x01\x00\x00\x00\x00\x00\x00\x00bU\x01\xe9t.",
      ["é", "a", "b", "é"],
    ],
    ["bytes", "C\x02\x00\xff.", Buffer.from([0, 255])],
    ["tuples", "()K\x01\x85K\x01K\x02\x86K\x01K\x02K\x03\x87t.", [[], [1], [1, 2], [1, 2, 3]]],
    ["lists", "](K\x01K\x02eK\x03a.", [1, 2, 3]],
    ["dictionaries", "}(K\x01K\x02K\x03K\x04uK\x05K\x06s.", new Map([...[1, 3, 5].map((n) => [n, n + 1] as const)])],
    [
      "frames and what was remembered",
      "\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00]\x94\x85q\x07h\x07\x86.",
      [[[]], [[]]],
    ],
    ["OrderedDicts, without their attributes", "ccollections\nOrderedDict\n)R}b.", new Map()],
    ["OrderedDicts made as objects are", "ccollections\nOrderedDict\n)\x81.", new Map()],
    ["sets", "(\x8f(K\x01K\x02\x90(K\x03\x91t.", [[1, 2], [3]]],
    ["long integers", "\x8b\x02\x00\x00\x00\x00\x01.", 256],
    ["values that are dropped again", "K\x01K\x020(K\x03K\x041.", 1],
    ["globals named on the stack", "\x8c\x0bcollections\x8c\x0bOrderedDict\x93)R.", new Map()],
  ])("reads %s", (_, operations, value) => {
    expect(read(operations)).toEqual(value);
  });

  it("says where the pickle ends, and starts where it is told", () => {
    const bytes = Buffer.from("K\x01.K\x02.rest", "latin1");
    expect(unpickle(bytes, { ...options, start: 3 })).toEqual({ value: 2, end: 6 });
  });

  it("passes over objects beside data, also one that holds itself", () => {
    const operations = "}(\x8c\x01a" + "c__main__\nArgs\n)\x81q\x00}\x8c\x04selfh\x00sb" + "\x8c\x01bK\x01u.";
    expect(read(operations)).toEqual(
      new Map<string, unknown>([
        ["a", new UnreadObject("__main__.Args")],
        ["b", 1],
      ]),
    );
  });

  it("asks what a reference stands for", () => {
    const load = (reference: unknown) => ({ reference });
    expect(unpickle(Buffer.from("K\x07Q."), { ...options, load }).value).toEqual({ reference: 7 });
  });

  it("keeps keys as data: none reaches a prototype", () => {
    const value = read("}\x8c\x09__proto__}\x8c\x01xK\x01ss.") as Map<string, unknown>;
    expect(value.get("__proto__")).toEqual(new Map([["x", 1]]));
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  // Each would run code, or import a module, in Python.
  it.each([
    ["a function of the system", "cposix\nsystem\n\x8c\x02ls\x85R.", '"posix.system"'],
    ["what a function of the system would give, called", "cos\ngetenv\n\x8c\x02ls\x85R)R.", '"os.getenv"'],
    ["an object of a class", "c__main__\nArgs\n)\x81}b.", '"__main__.Args"'],
    ["an object made with arguments by name", "c__main__\nArgs\n)}\x92.", '"__main__.Args"'],
    ["a dictionary with code of its own", "caddict\nDict\n)\x81(K\x01K\x02uK\x03K\x04s}b.", '"addict.Dict"'],
    ["a list with code of its own", "cmine\nList\n)\x81(K\x01eK\x02a.", '"mine.List"'],
    ["a function named on the stack", "\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.", '"builtins.eval"'],
    ["a class that is only handed on", "csubprocess\nPopen\n.", '"subprocess.Popen"'],
    [
      "PyTorch's own pickle in a pickle",
      "ctorch.storage\n_load_from_bytes\nC\x00\x85R.",
      '"torch.storage._load_from_bytes"',
    ],
    ["a name like an allowed one", "ccollections\nOrderedDict.fromkeys\n.", '"collections.OrderedDict.fromkeys"'],
    ["a name from every object's prototype", "cconstructor\nconstructor\n.", '"constructor.constructor"'],
    ["a name that writes to the terminal", "c\x1b[2J\nx\n.", '"\\u001b[2J.x"'],
  ])("makes nothing of %s, and refuses it by its name where it is needed", (_, operations, name) => {
    const value = read(operations);
    expect(value).toBeInstanceOf(UnreadObject);
    const use = () => refuseObject(value as UnreadObject, options.fail);
    expect(use).toThrow(InputError);
    expect(use).toThrow(`Cannot read a.pkl: it asks for Python's ${name}, which could run code`);
  });

  it.each([
    ["an instance made the old way", "(iposix\nsystem\n."],
    ["an object made the old way", "(ccollections\nOrderedDict\no."],
    ["a registered extension", "\x82\x01."],
    ["the text protocol", "I1\n."],
  ])("has no operation for %s", (_, operations) => {
    expect(() => read(operations)).toThrow(/operation 0x[0-9a-f]+ is not one that data need/);
  });

  it.each([
    ["a class is called", "ctorch\nFloatStorage\n)R.", "it calls what is no function"],
    ["data are called", "K\x01)R.", "it calls what is no function"],
    ["a number is filled", "K\x01}b.", "it fills an object that cannot be filled"],
    ["a value is missing", ".", "a value is missing"],
    ["a mark is missing", "t.", "a mark is missing"],
    ["values are left over", "K\x01K\x02.", "it ends with unused values"],
    ["a mark is left over", "(K\x01.", "it ends with unused values"],
    ["a key has no value", "}(K\x01u.", "entries are set in what is no dictionary"],
    ["entries are set in a list", "]K\x01K\x02s.", "entries are set in what is no dictionary"],
    ["values are appended to a dictionary", "}K\x01a.", "appended to what is no list"],
    ["nothing was remembered", "h\x05.", "value 5 was never remembered"],
    ["nothing stands for references", "K\x01Q.", "it refers to something outside"],
    ["the protocol is unknown", "\x80\x06.", "protocols 2 to 5 are read, current value is 6"],
    ["text is not UTF-8", "\x8c\x01\xff.", "a text is not UTF-8"],
    ["text is longer than the file", "X\xff\xff\xff\x0f.", "it is cut short"],
    ["text is longer than text can be", "\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "a text claims"],
    ["bytes are longer than the file", "\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", "it is cut short"],
    ["a number is longer than data need", "\x8b\x01\x04\x00\x00", "a number claims 1025 bytes"],
    ["a name has no end", `c${"x".repeat(300)}`, "a name has no end"],
  ])("says where it stops making sense: %s", (_, operations, message) => {
    expect(() => read(operations)).toThrow(InputError);
    expect(() => read(operations)).toThrow(/^Cannot read a\.pkl: its pickle stops making sense at byte \d+: /);
    expect(() => read(operations)).toThrow(message);
  });

  it("stops after a million operations, whatever they are", () => {
    expect(() => read("(".repeat(2_000_000))).toThrow("it has more than 1000000 operations");
    expect(() => read(`N${"q\x00".repeat(2_000_000)}`)).toThrow("it has more than 1000000 operations");
  });

  it("gives functions the same list a few times, not a hundred thousand times", () => {
    const list = `](${"K\x01K\x02\x86".repeat(1000)}eq\x00`;
    const given = (times: number) => `ccollections\nOrderedDict\nq\x010${list}${"h\x01h\x00\x85R0".repeat(times)}.`;
    const once = { globals: [new PickleGlobal("collections.OrderedDict", ([pairs]) => new Map(pairs as []))] };
    const readOnce = (text: string) => unpickle(Buffer.from(text, "latin1"), { ...options, ...once });
    expect(readOnce(given(10)).value).toHaveLength(1000);
    expect(() => readOnce(given(100_000))).toThrow("its functions are given the same again and again");
  });

  it("does not unfold lists that hold themselves many times over", () => {
    // Each list holds the one before twice: two to the power of 60 elements, if anything went through them.
    const nested = Array.from({ length: 60 }, () => "q\x00h\x00\x86").join("");
    expect(read(`]${nested}.`)).toHaveLength(2);
  });
});
