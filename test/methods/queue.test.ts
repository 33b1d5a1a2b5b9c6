import { describe, expect, it } from "vitest";
import { InputError } from "../../src/errors";
import { randomStream } from "../../src/engine/random";
import { tf } from "../../src/engine/tf";
import { assertQueueFits, KeyQueue } from "../../src/methods/queue";

/** A batch of keys [count, 2] that all hold one number, so that one sees where they are. */
const batch = (value: number, count = 2) => tf.fill<tf.Rank.R2>([count, 2], value);
const firstColumn = (queue: KeyQueue) => queue.keys.arraySync().map(([first]) => first);

/** tf.tidy for what is no tensor. */
function inTidy<T>(make: () => T): T {
  let made: T | undefined;
  tf.tidy(() => void (made = make()));
  return made!;
}

function enqueue(queue: KeyQueue, value: number, count = 2) {
  const keys = batch(value, count);
  queue.replaceOldest(keys);
  keys.dispose();
}

describe("the queue", () => {
  it("forgets the oldest batch first", () => {
    const queue = new KeyQueue(batch(0, 6));
    enqueue(queue, 1);
    expect(firstColumn(queue)).toEqual([1, 1, 0, 0, 0, 0]);
    enqueue(queue, 2);
    enqueue(queue, 3);
    expect(firstColumn(queue)).toEqual([1, 1, 2, 2, 3, 3]);
    expect(queue.pointer).toBe(0);
    enqueue(queue, 4);
    expect(firstColumn(queue)).toEqual([4, 4, 2, 2, 3, 3]);
    expect(queue.pointer).toBe(2);
    queue.dispose();
  });

  it("holds the batch itself when the batch is as large as K", () => {
    const queue = new KeyQueue(batch(0, 2));
    enqueue(queue, 1);
    enqueue(queue, 2);
    expect(firstColumn(queue)).toEqual([2, 2]);
    queue.dispose();
  });

  it("goes on from the pointer it is given", () => {
    const queue = new KeyQueue(batch(0, 6), 4);
    enqueue(queue, 1);
    expect(firstColumn(queue)).toEqual([0, 0, 0, 0, 1, 1]);
    expect(queue.pointer).toBe(0);
    queue.dispose();
  });

  it("starts with random unit vectors in all directions", () => {
    const queue = KeyQueue.random(500, 8, randomStream(1, "test"));
    expect(queue.size).toBe(500);
    const keys = queue.keys.arraySync();
    keys.forEach((key) => expect(Math.hypot(...key)).toBeCloseTo(1, 5));
    // The mean of 500 independent unit vectors is about 1 / sqrt(500) long.
    const mean = keys[0]!.map((_, axis) => keys.reduce((sum, key) => sum + key[axis]! / 500, 0));
    expect(Math.hypot(...mean)).toBeLessThan(3 / Math.sqrt(500));
    queue.dispose();
  });

  it("holds three tensors, also when it is used within a tidy", () => {
    const before = tf.memory().numTensors;
    const queue = inTidy(() => KeyQueue.random(6, 2, randomStream(1, "test")));
    for (let step = 0; step < 5; step++) tf.tidy(() => enqueue(queue, step));
    expect(tf.memory().numTensors).toBe(before + 3);
    expect(firstColumn(queue)).toEqual([3, 3, 4, 4, 2, 2]);
    queue.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses a batch that does not divide K, and stays as it was", () => {
    const queue = new KeyQueue(batch(0, 6));
    const keys = batch(1, 4);
    expect(() => queue.replaceOldest(keys)).toThrow(InputError);
    expect(firstColumn(queue)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(queue.pointer).toBe(0);
    keys.dispose();
    queue.dispose();
  });
});

describe("assertQueueFits", () => {
  it("accepts whole batches and names a K that would fit", () => {
    expect(() => assertQueueFits(65_536, 256)).not.toThrow();
    expect(() => assertQueueFits(256, 256)).not.toThrow();
    expect(() => assertQueueFits(1000, 64)).toThrow(
      "Cannot fill the queue with whole batches: K must be a multiple of the batch size 64, for example 1024; current K is 1000",
    );
    expect(() => assertQueueFits(16, 64)).toThrow("for example 64; current K is 16");
  });
});
