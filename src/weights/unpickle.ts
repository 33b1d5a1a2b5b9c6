import type { Fail } from "./read-failure";

// An official MoCo file with its optimizer takes about 30,000 operations. Each makes at most one small object, so this
// bounds memory, the stack, the memo and the time as well.
const maximumOperations = 1_000_000;

// V8 has no longer string.
const maximumTextBytes = 2 ** 29 - 25;

// Modules and functions that build tensors have names of less than 50 characters.
const maximumNameBytes = 200;

// Python writes longer numbers in files of no network; making one takes memory and time beyond its length.
const maximumIntegerBytes = 1024;

// What functions are given is as long as the file at most, unless one thing is given to them again and again: a list that is
// remembered and made a dictionary a hundred thousand times.
const maximumGiven = 8;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What a pickle may name and means. No code of the pickle's choice ever runs: see {@link UnreadObject}. */
export class PickleGlobal {
  /**
   * @param name - Python's module and name, for example "collections.OrderedDict"
   * @param call - what calling it makes; without, it is only handed on, as a class is
   */
  constructor(
    readonly name: string,
    readonly call?: (args: readonly unknown[], fail: Fail) => unknown,
  ) {}
}

/**
 * What a name that is not given stands for, and all that is made of it: an object that Python would build by running code.
 * Its contents are dropped. Checkpoints have such objects beside their tensors, for example hyper-parameters; who needs one
 * as data calls {@link refuseObject}.
 */
export class UnreadObject {
  /** @param name - Python's module and name of the class or function */
  constructor(readonly name: string) {}
}

/** Fails because an object stands where data are needed. */
export function refuseObject({ name }: UnreadObject, fail: Fail): never {
  // Quoted as JSON, so that no control character reaches a terminal.
  const shown = JSON.stringify(name.slice(0, maximumNameBytes));
  return fail(
    `it asks for Python's ${shown}, which could run code and is refused: tensors, dictionaries, lists, numbers and ` +
      `text are read. If you trust the file, save its state dict alone with Python`,
  );
}

/** An object that a pickle makes first and gives its contents later. */
export interface Stateful {
  setState(state: unknown, fail: Fail): void;
}

export interface UnpickleOptions {
  /** The names that have a meaning. */
  readonly globals: readonly PickleGlobal[];
  /** What a reference to something outside the pickle stands for. Without, there must be none. */
  readonly load?: (reference: unknown) => unknown;
  /** Where the pickle starts. @default 0 */
  readonly start?: number;
  readonly fail: Fail;
}

/** A value read, and the position after it. */
export interface Unpickled {
  readonly value: unknown;
  readonly end: number;
}

/**
 * Reads a Python pickle of binary protocol 2 to 5: dictionaries (as `Map`), lists, tuples and sets (as arrays), text, bytes,
 * numbers (as `bigint` where they are too long for `number`), true, false, none (as `null`), and what the given globals
 * make. All else becomes an {@link UnreadObject}.
 */
export function unpickle(bytes: Buffer, { globals, load, start = 0, fail }: UnpickleOptions): Unpickled {
  const machine = new Machine(bytes, start, new Map(globals.map((global) => [global.name, global])), load, fail);
  return machine.run();
}

/** The stack machine that pickles are programs for: see Python's `pickletools`. */
class Machine {
  private stack: unknown[] = [];
  /** The stacks below each mark. */
  private readonly below: unknown[][] = [];
  private readonly memo = new Map<number, unknown>();
  /** Elements and characters that functions were given so far. */
  private given = 0;

  constructor(
    private readonly bytes: Buffer,
    private position: number,
    private readonly globals: ReadonlyMap<string, PickleGlobal>,
    private readonly load: ((reference: unknown) => unknown) | undefined,
    private readonly fail: Fail,
  ) {}

  run(): Unpickled {
    for (let count = 0; count < maximumOperations; count++) {
      const code = this.take(1)[0]!;
      if (code === 0x2e) {
        // STOP
        const value = this.pop();
        if (this.stack.length + this.below.length > 0) this.damaged("it ends with unused values");
        return { value, end: this.position };
      }
      this.execute(code);
    }
    return this.damaged(`it has more than ${maximumOperations} operations`);
  }

  private execute(code: number): void {
    switch (code) {
      case 0x80: // PROTO
        return this.expectProtocol(this.take(1)[0]!);
      case 0x95: // FRAME: a hint for reading ahead
        return void this.take(8);
      case 0x28: // MARK
        this.below.push(this.stack);
        this.stack = [];
        return;

      case 0x4e: // NONE
        return this.push(null);
      case 0x88: // NEWTRUE
        return this.push(true);
      case 0x89: // NEWFALSE
        return this.push(false);
      case 0x4b: // BININT1
        return this.push(this.take(1)[0]!);
      case 0x4d: // BININT2
        return this.push(this.take(2).readUInt16LE());
      case 0x4a: // BININT
        return this.push(this.take(4).readInt32LE());
      case 0x8a: // LONG1
        return this.push(this.integer(this.take(1)[0]!));
      case 0x8b: // LONG4
        return this.push(this.integer(this.take(4).readUInt32LE()));
      case 0x47: // BINFLOAT
        return this.push(this.take(8).readDoubleBE());

      case 0x8c: // SHORT_BINUNICODE
        return this.push(this.text(this.take(1)[0]!));
      case 0x58: // BINUNICODE
        return this.push(this.text(this.take(4).readUInt32LE()));
      case 0x8d: // BINUNICODE8
        return this.push(this.text(this.length8()));
      case 0x55: // SHORT_BINSTRING, the text of Python 2
        return this.push(this.take(this.take(1)[0]!).toString("latin1"));
      case 0x43: // SHORT_BINBYTES
        return this.push(this.take(this.take(1)[0]!));
      case 0x42: // BINBYTES
        return this.push(this.take(this.take(4).readUInt32LE()));
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return this.push(this.take(this.length8()));

      case 0x29: // EMPTY_TUPLE
      case 0x5d: // EMPTY_LIST
      case 0x8f: // EMPTY_SET
        return this.push([]);
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.push(this.popMany(code - 0x84));
      case 0x74: // TUPLE
      case 0x91: // FROZENSET
        return this.push(this.popToMark());
      case 0x61: // APPEND
        return this.append(this.popMany(1));
      case 0x65: // APPENDS
      case 0x90: // ADDITEMS
        return this.append(this.popToMark());
      case 0x7d: // EMPTY_DICT
        return this.push(new Map());
      case 0x73: // SETITEM
        return this.setItems(this.popMany(2));
      case 0x75: // SETITEMS
        return this.setItems(this.popToMark());

      // How a tuple that holds itself is made: its parts are dropped again.
      case 0x30: // POP
        return void this.pop();
      case 0x31: // POP_MARK
        return void this.popToMark();

      case 0x71: // BINPUT
        return this.remember(this.take(1)[0]!);
      case 0x72: // LONG_BINPUT
        return this.remember(this.take(4).readUInt32LE());
      case 0x94: // MEMOIZE
        return this.remember(this.memo.size);
      case 0x68: // BINGET
        return this.recall(this.take(1)[0]!);
      case 0x6a: // LONG_BINGET
        return this.recall(this.take(4).readUInt32LE());

      case 0x63: // GLOBAL
        return this.pushGlobal(this.line(), this.line());
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.popMany(2);
        return this.pushGlobal(module, name);
      }
      case 0x52: // REDUCE
      case 0x81: // NEWOBJ
        return this.call(this.pop(), this.pop());
      case 0x92: // NEWOBJ_EX: the arguments by name stand above the others
        this.pop();
        return this.call(this.pop(), this.pop());
      case 0x62: // BUILD
        return this.build(this.pop());
      case 0x51: // BINPERSID
        return this.push((this.load ?? this.noReferences)(this.pop()));
      default:
        this.damaged(`operation 0x${code.toString(16)} is not one that data need`);
    }
  }

  private damaged(problem: string): never {
    return this.fail(`its pickle stops making sense at byte ${this.position}: ${problem}`);
  }

  private readonly noReferences = (): never =>
    this.damaged(
      "it refers to something outside, as data.pkl of an unpacked archive of PyTorch does: give the archive",
    );

  private expectProtocol(protocol: number): void {
    if (protocol < 2 || protocol > 5) this.damaged(`protocols 2 to 5 are read, current value is ${protocol}`);
  }

  private take(count: number): Buffer {
    const end = this.position + count;
    if (end > this.bytes.length) this.damaged(`${count} bytes should follow, but it is cut short`);
    const part = this.bytes.subarray(this.position, end);
    this.position = end;
    return part;
  }

  private length8(): number {
    return Number(this.take(8).readBigUInt64LE());
  }

  private integer(byteCount: number): number | bigint {
    if (byteCount > maximumIntegerBytes) this.damaged(`a number claims ${byteCount} bytes`);
    return integer(this.take(byteCount));
  }

  private text(byteCount: number): string {
    if (byteCount > maximumTextBytes) this.damaged(`a text claims ${byteCount} bytes`);
    const part = this.take(byteCount);
    try {
      return utf8.decode(part);
    } catch {
      return this.damaged("a text is not UTF-8");
    }
  }

  private line(): string {
    const end = this.bytes.subarray(this.position, this.position + maximumNameBytes).indexOf("\n");
    if (end < 0) this.damaged("a name has no end");
    return this.take(end + 1).toString("latin1", 0, end);
  }

  private push(value: unknown): void {
    this.stack.push(value);
  }

  private pop(): unknown {
    if (this.stack.length === 0) this.damaged("a value is missing");
    return this.stack.pop();
  }

  private popMany(count: number): unknown[] {
    if (this.stack.length < count) this.damaged("a value is missing");
    return this.stack.splice(-count);
  }

  private popToMark(): unknown[] {
    const values = this.stack;
    this.stack = this.below.pop() ?? this.damaged("a mark is missing");
    return values;
  }

  private top(): unknown {
    if (this.stack.length === 0) this.damaged("a value is missing");
    return this.stack.at(-1);
  }

  private append(values: readonly unknown[]): void {
    const list = this.top();
    if (list instanceof UnreadObject) return;
    if (!Array.isArray(list)) return this.damaged("values are appended to what is no list");
    for (const value of values) list.push(value);
  }

  private setItems(items: readonly unknown[]): void {
    const map = this.top();
    if (map instanceof UnreadObject) return;
    if (!(map instanceof Map) || items.length % 2 !== 0)
      return this.damaged("entries are set in what is no dictionary");
    for (let index = 0; index < items.length; index += 2) map.set(items[index], items[index + 1]);
  }

  private remember(index: number): void {
    this.memo.set(index, this.top());
  }

  private recall(index: number): void {
    if (!this.memo.has(index)) this.damaged(`value ${index} was never remembered`);
    this.push(this.memo.get(index));
  }

  private pushGlobal(module: unknown, name: unknown): void {
    if (typeof module !== "string" || typeof name !== "string") return this.damaged("a name is no text");
    const full = `${module}.${name}`;
    this.push(this.globals.get(full) ?? new UnreadObject(full));
  }

  private call(args: unknown, callee: unknown): void {
    if (callee instanceof UnreadObject) return this.push(callee);
    if (!(callee instanceof PickleGlobal) || callee.call === undefined || !Array.isArray(args)) {
      return this.damaged("it calls what is no function");
    }
    for (const value of args as readonly unknown[]) {
      this.given += typeof value === "string" || Array.isArray(value) ? value.length : 1;
    }
    if (this.given > maximumGiven * this.bytes.length) this.damaged("its functions are given the same again and again");
    this.push(callee.call(args, this.fail));
  }

  private build(state: unknown): void {
    const object = this.top();
    // An OrderedDict's attributes, which PyTorch gives versions of layers, are of no use here.
    if (object instanceof Map || object instanceof UnreadObject) return;
    if (!isStateful(object)) return this.damaged("it fills an object that cannot be filled");
    object.setState(state, this.fail);
  }
}

function isStateful(value: unknown): value is Stateful {
  return typeof value === "object" && value !== null && "setState" in value;
}

/** Two's complement of any length, little-endian. */
function integer(bytes: Buffer): number | bigint {
  if (bytes.length === 0) return 0;
  const hexadecimal = Buffer.from(bytes).reverse().toString("hex");
  const value = BigInt.asIntN(8 * bytes.length, BigInt(`0x${hexadecimal}`));
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
