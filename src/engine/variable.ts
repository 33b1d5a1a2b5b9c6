import { hold, release, type Held } from "./held-tensor";
import { currentRecording } from "./recording";
import { tf } from "./tf";

/**
 * What holds the values of variables outside of JavaScript: the session of a recorded program.
 *
 * A variable asks it for its value when the session has computed a newer one.
 */
export interface VariableHome {
  /** A tensor with the variable's value in the session; the caller owns it. */
  readonly read: (variable: Variable) => tf.Tensor;
}

/**
 * A tensor that changes from step to step: parameters, velocities, running averages, a queue.
 *
 * Outside of a program it is a box with a tensor in it. While {@link record} records a function, and whenever the recorded
 * function runs, it is the state that the function reads and assigns; it then lives in the session, on the device, and is
 * read out of it when somebody asks. Owns its tensor: call `dispose`.
 */
export class Variable<T extends tf.Tensor = tf.Tensor> {
  readonly shape: T["shape"];
  readonly dtype: tf.DataType;
  /** Grows with each new value: tells sessions whether theirs is the newest. */
  private count = 0;
  private local: Held | undefined;
  private home: VariableHome | undefined;
  private gone = false;

  /**
   * @param name - for messages, for example "queue"
   * @param value - taken over: do not dispose it, and do not give it to another variable
   */
  constructor(
    readonly name: string,
    value: T,
  ) {
    this.shape = value.shape;
    this.dtype = value.dtype;
    this.local = hold(value);
  }

  /** The current value. Valid until the next `assign` or the next run of a program that changes it. */
  get value(): T {
    return this.held().tensor as T;
  }

  /**
   * Puts a new value in place of the old.
   *
   * @param next - of the same shape and type; taken over
   * @throws Error if it has another shape or type
   */
  assign(next: T): void {
    if (next.shape.join() !== this.shape.join() || next.dtype !== this.dtype) {
      throw new Error(
        `Cannot assign to the variable ${this.name}: it is ${this.dtype} [${this.shape.join(", ")}], ` +
          `the new value is ${next.dtype} [${next.shape.join(", ")}]`,
      );
    }
    this.assertThere();
    const recording = currentRecording();
    if (recording) {
      recording.assign(this, hold(next));
      return;
    }
    if (this.local?.tensor !== next) {
      release(this.local);
      this.local = hold(next);
    }
    this.home = undefined;
    this.count++;
  }

  /** Tensors made of the current value, made once for each value and disposed with it: the pieces of a parameter vector. */
  derive(make: (value: T) => tf.Tensor[]): readonly tf.Tensor[] {
    const { tensor, derived } = this.held();
    let made = derived.get(make as (value: tf.Tensor) => tf.Tensor[]);
    if (made === undefined) {
      made = tf.tidy(() => make(tensor as T).map((one) => tf.keep(one)));
      derived.set(make as (value: tf.Tensor) => tf.Tensor[], made);
    }
    return made;
  }

  dispose(): void {
    if (this.gone) return;
    this.gone = true;
    release(this.local);
    this.local = undefined;
    this.home = undefined;
  }

  /** For the session of a program: which value is the newest. */
  get version(): number {
    return this.count;
  }

  get isDisposed(): boolean {
    return this.gone;
  }

  /** For the session of a program: it has computed a newer value. */
  movedTo(home: VariableHome): void {
    release(this.local);
    this.local = undefined;
    this.home = home;
    this.count++;
  }

  /** For the session of a program that ends: takes the value back, if only that session has it. */
  leave(home: VariableHome): void {
    if (this.gone || this.home !== home) return;
    this.local ??= hold(home.read(this));
    this.home = undefined;
  }

  private held(): Held {
    this.assertThere();
    const recording = currentRecording();
    if (recording) return recording.read(this, () => this.outside());
    return this.outside();
  }

  private outside(): Held {
    this.local ??= hold(this.home!.read(this));
    return this.local;
  }

  private assertThere(): void {
    if (this.gone) throw new Error(`Cannot use ${this.name}: its memory was freed by dispose(), make it anew`);
  }
}
