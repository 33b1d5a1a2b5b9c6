import { describe, expect, it } from "vitest";
import { tf } from "../../src/engine/tf";
import { retrieval, twinTask } from "../../src/evaluate/retrieval";
import { featuresOf } from "./reference";

// Three emoji by two hands; the third has no twin.
const ids = ["a/google", "a/twitter", "b/twitter", "b/google", "c/google"];
const twins = Int32Array.from([1, 0, 3, 2, -1]);

function drawings(values: number[]) {
  return { ...featuresOf(values, [0, 0, 0, 0, 0]), groups: Int32Array.from([7, 7, 8, 8, 9]), twins };
}

describe("twinTask", () => {
  it("asks from Noto to Twemoji, only for images that have a twin", () => {
    const { queries, gallery } = twinTask(ids, twins);
    expect([...queries]).toEqual([0, 3]);
    expect([...gallery]).toEqual([1, 2]);
  });

  it("keeps images without a twin in the gallery", () => {
    const { queries, gallery } = twinTask(ids, twins, { from: "twitter", to: "google" });
    expect([...queries]).toEqual([1, 2]);
    expect([...gallery]).toEqual([0, 3, 4]);
  });

  it("says so where there is nothing to ask", () => {
    expect(() => twinTask(["a/apple"], Int32Array.from([-1]))).toThrow('some images of hand "google" must have a twin');
  });
});

describe("retrieval", () => {
  it("is right where the nearest of the other artist is the twin, by angle and not by length", () => {
    const score = retrieval(drawings([1, 0.1, 50, 0, 0, 9, 1, 1.5, 0, 1]), twinTask(ids, twins));
    expect(score).toMatchObject({ accuracy: 1, gallerySize: 2 });
    expect([...score.groups]).toEqual([7, 8]);
    expect([...score.queries]).toEqual([0, 3]);
  });

  it("is wrong where another image is nearer", () => {
    const score = retrieval(drawings([0, 1, 1, 0, 0, 1, 0.1, 1, 1, 0]), twinTask(ids, twins));
    expect([...score.correct]).toEqual([0, 1]);
    expect(score.accuracy).toBe(0.5);
  });

  it("leaves no tensor behind", () => {
    const before = tf.memory().numTensors;
    retrieval(drawings([0, 1, 1, 0, 0, 1, 0.1, 1, 1, 0]), twinTask(ids, twins));
    expect(tf.memory().numTensors).toBe(before);
  });

  it("says what is wrong with its input", () => {
    const features = drawings([0, 1, 1, 0, 0, 1, 0.1, 1, 1, 0]);
    const task = twinTask(ids, twins);
    expect(() => retrieval({ ...features, twins: undefined }, task)).toThrow("this one has no twins");
    expect(() => retrieval(features, { ...task, gallery: Int32Array.of(1) })).toThrow("it lacks that of image 3");
    expect(() => retrieval(features, { ...task, queries: Int32Array.of(4) })).toThrow("it lacks that of image 4");
  });
});
