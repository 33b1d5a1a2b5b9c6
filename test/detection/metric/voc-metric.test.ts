import { describe, expect, it } from "vitest";
import { randomStream } from "../../../src/engine/random";
import type { Annotation, Box, Detection, DetectionSet } from "../../../src/detection/structures/detection-set";
import { matchVoc, vocMetrics } from "../../../src/detection/metric/voc-metric";
import { repeated } from "../random-cases";
import { reference } from "../reference";

function setWith(objects: readonly (readonly Annotation[])[], categoryCount = 1): DetectionSet {
  return {
    name: "case",
    categories: Array.from({ length: categoryCount }, (_, index) => ({ id: index + 1, name: `c${index}` })),
    images: objects.map((list, id) => ({ id, fileName: `${id}.jpg`, width: 200, height: 200, objects: list })),
    readPixels: () => Promise.reject(new Error("has no pixels")),
  };
}

function object(box: Box, change: Partial<Annotation> = {}): Annotation {
  return { box, category: 0, difficult: false, crowd: false, area: 1, ...change };
}

function detection(box: Box, score: number, change: Partial<Detection> = {}): Detection {
  return { imageId: 0, category: 0, box, score, ...change };
}

/** Up to 5 images and 3 categories, difficult objects, images and categories without objects or detections, equal scores. */
function randomVoc(seed: number): { readonly set: DetectionSet; readonly detections: readonly Detection[] } {
  const random = randomStream(0, "voc case", seed);
  const categoryCount = 1 + random.integer(3);
  // Of two objects that a detection overlaps equally the package takes the last and VOC the first: tenths make that rare.
  const tenths = (low: number, high: number): number => Math.round(random.uniform(low, high) * 10) / 10;
  const score = random.integer(2) === 0 ? (): number => random.integer(6) / 5 : (): number => random.uniform();
  const detections: Detection[] = [];
  const images = Array.from({ length: 1 + random.integer(5) }, (_, imageId) => {
    const objects = Array.from({ length: random.integer(4) === 0 ? 0 : random.integer(5) }, () => {
      const [x, y] = [tenths(0, 100), tenths(0, 100)];
      return object([x, y, x + tenths(5, 90), y + tenths(5, 90)], {
        category: random.integer(categoryCount),
        difficult: random.integer(4) === 0,
      });
    });
    for (let count = random.integer(9); count > 0; count--) {
      const near = objects.length > 0 && random.integer(4) > 0 ? objects[random.integer(objects.length)] : undefined;
      const [x1, y1, x2, y2] = near?.box ?? [20, 20, 90, 90];
      const by = random.uniform(0, 12);
      const box: Box = [x1 + tenths(-by, by), y1 + tenths(-by, by), x2 + tenths(-by, by) + 5, y2 + tenths(-by, by) + 5];
      const category = near !== undefined && random.integer(5) > 0 ? near.category : random.integer(categoryCount);
      detections.push(detection(box, score(), { imageId, category }));
    }
    return objects;
  });
  return { set: setWith(images, categoryCount), detections };
}

/** The case as reference.py takes it: boxes with pixel indices from 1, and scores that differ, in VOC's stable order. */
function asVoc({ set, detections }: ReturnType<typeof randomVoc>) {
  const corners = ([x1, y1, x2, y2]: Box): number[] => [x1 + 1, y1 + 1, x2, y2];
  const order = [...detections.keys()].sort((one, other) => detections[other]!.score - detections[one]!.score);
  const rank = new Map(order.map((index, place) => [index, place]));
  return {
    categoryCount: set.categories.length,
    thresholds: [0.5, 0.75, 0.9],
    images: set.images.map(({ id, objects }) => ({
      truth: objects.map(({ box, category, difficult }) => [...corners(box), category, Number(difficult), 0]),
      found: [...detections.entries()]
        .filter(([, { imageId }]) => imageId === id)
        .map(([index, { box, category }]) => [...corners(box), category, detections.length - rank.get(index)!]),
    })),
  };
}

describe("VOC's average precision", () => {
  it("is that of another implementation on 500 random cases, by the 11-point and the area rule", () => {
    const cases = Array.from({ length: 500 }, (_, seed) => randomVoc(seed));
    const expected = reference<([number, number][] | null)[]>("voc", cases.map(asVoc));
    let found = 0;
    cases.forEach(({ set, detections }, seed) => {
      const matches = matchVoc(set, detections);
      (["11-point", "area"] as const).forEach((rule, at) => {
        vocMetrics(matches, rule).categories.forEach(({ ap50, ap75 }, category) => {
          const row = expected[seed]![category];
          if (row === null || row === undefined) return expect([ap50, ap75]).toEqual([NaN, NaN]);
          expect(Math.abs(ap50 - row[0]![at]!), `case ${seed}, category ${category}, ${rule}`).toBeLessThan(1e-9);
          expect(Math.abs(ap75 - row[1]![at]!), `case ${seed}, category ${category}, ${rule}`).toBeLessThan(1e-9);
          if (ap50 > 0 && ap50 < 1) found++;
        });
      });
    });
    expect(found).toBeGreaterThan(500);
  });

  it("takes an overlap of exactly the threshold for wrong", () => {
    const set = setWith([[object([0, 0, 10, 10])]]);
    const at = (right: number): number => vocMetrics(matchVoc(set, [detection([0, 0, right, 10], 1)]), "area").ap50;
    expect(at(5)).toBe(0); // IoU 50 / 100
    expect(at(5.1)).toBe(1);
    // As detectron2 writes boxes, 5.04 becomes 5.0.
    const rounded = matchVoc(set, [detection([0, 0, 5.04, 10], 1)], { roundAsDetectron2: true });
    expect(vocMetrics(rounded, "area").ap50).toBe(0);
    expect(at(5.04)).toBe(1);
  });

  it("counts pixels with both ends included", () => {
    // In the file 1 to 10 and 1 to 5: ten pixels and five, IoU one half; without the + 1 it were 4 / 9.
    const set = setWith([[object([0, 0, 10, 1])]]);
    expect(vocMetrics(matchVoc(set, [detection([0, 0, 5, 1], 1)]), "area").ap50).toBe(0);
    expect(vocMetrics(matchVoc(set, [detection([0, 0, 6, 1], 1)]), "area").ap50).toBe(1);
  });

  it("counts detections of difficult objects neither way", () => {
    const box: Box = [0, 0, 10, 10];
    const set = setWith([[object(box, { difficult: true }), object([50, 50, 60, 60])]]);
    const detections = [detection(box, 0.9), detection(box, 0.8), detection([50, 50, 60, 60], 0.7)];
    expect(vocMetrics(matchVoc(set, detections), "area").ap50).toBe(1);
  });

  it("counts a second detection of an object as wrong, even where another object is free beside it", () => {
    const set = setWith([[object([0, 0, 10, 10]), object([0, 0, 10, 9])]]);
    const detections = [detection([0, 0, 10, 10], 0.9), detection([0, 0, 10, 10], 0.8)];
    expect(vocMetrics(matchVoc(set, detections), "area").ap50).toBe(0.5);
  });

  it("takes the first of objects that are overlapped equally", () => {
    const box: Box = [0, 0, 10, 10];
    const set = (first: boolean) => setWith([[object(box, { difficult: first }), object(box, { difficult: !first })]]);
    expect(vocMetrics(matchVoc(set(false), [detection(box, 1)]), "area").ap50).toBe(1);
    expect(vocMetrics(matchVoc(set(true), [detection(box, 1)]), "area").ap50).toBe(0);
  });

  it("takes equal scores in the order of images, then in the order given", () => {
    const box: Box = [0, 0, 10, 10];
    const set = setWith([[], [object(box)]]);
    const there = detection(box, 0.5, { imageId: 1 });
    const nowhere = detection(box, 0.5);
    expect(vocMetrics(matchVoc(set, [there, nowhere]), "area").ap50).toBe(0.5);
    const away = detection([50, 50, 60, 60], 0.5, { imageId: 1 });
    expect(vocMetrics(matchVoc(set, [there, away]), "area").ap50).toBe(1);
    expect(vocMetrics(matchVoc(set, [away, there]), "area").ap50).toBe(0.5);
  });

  it("of 2007 averages precision at recalls 0, .1, ..., 1", () => {
    // Two objects; right, wrong, right: precision 1 up to recall .5, then 2 / 3.
    const set = setWith([[object([0, 0, 10, 10]), object([50, 50, 60, 60])]]);
    const detections = [
      detection([0, 0, 10, 10], 0.9),
      detection([100, 100, 110, 110], 0.8),
      detection([50, 50, 60, 60], 0.7),
    ];
    expect(vocMetrics(matchVoc(set, detections), "11-point").ap50).toBeCloseTo((6 + 5 * (2 / 3)) / 11, 12);
    expect(vocMetrics(matchVoc(set, detections), "area").ap50).toBeCloseTo((1 + 2 / 3) / 2, 12);
  });

  it("is the mean over thresholds and over the categories that have objects, as detectron2 reports it", () => {
    // IoU 0.78 passes .50 to .75, six thresholds of ten.
    const set = setWith([[object([0, 0, 10, 10])]], 2);
    const detections = [detection([0, 0, 7.8, 10], 1), detection([0, 0, 10, 10], 1, { category: 1 })];
    const metrics = vocMetrics(matchVoc(set, detections), "11-point");
    expect(metrics.ap).toBeCloseTo(0.6, 12);
    expect([metrics.ap50, metrics.ap75]).toEqual([expect.closeTo(1, 12), expect.closeTo(1, 12)]);
    expect(metrics.categories[1]).toEqual({ ap: NaN, ap50: NaN, ap75: NaN });
  });

  it("rounds scores to three decimals as detectron2 writes them, halves to even", () => {
    const right: Box = [0, 0, 10, 10];
    const set = setWith([[object(right)]]);
    const ap = (wrongScore: number, rightScore: number, roundAsDetectron2: boolean): number => {
      const detections = [detection([50, 50, 60, 60], wrongScore), detection(right, rightScore)];
      return vocMetrics(matchVoc(set, detections, { roundAsDetectron2 }), "area").ap50;
    };
    expect(ap(0.8001, 0.8004, false)).toBe(1);
    expect(ap(0.8001, 0.8004, true)).toBe(0.5); // both .800, the first stands first
    expect(ap(0.062, 0.0625, true)).toBe(0.5); // .0625 is a half exactly: Python writes .062
    expect(ap(0.187, 0.1875, true)).toBe(1); // and .188
  });

  it("rounds boxes after adding 1 to xmin and ymin, to one decimal, halves to even", () => {
    const ap50 = (width: number, box: Box, roundAsDetectron2 = true): number => {
      const set = setWith([[object([0, 0, width, 10])]]);
      return vocMetrics(matchVoc(set, [detection(box, 1)], { roundAsDetectron2 }), "area").ap50;
    };
    // Written 5.2, half of 10.4; 5.25 is a half exactly, and its even neighbor is below.
    expect(ap50(10.4, [0, 0, 5.25, 10])).toBe(0);
    expect(ap50(10.4, [0, 0, 5.25, 10], false)).toBe(1);
    expect(ap50(11.4, [0, 0, 5.75, 10])).toBe(1); // written 5.8
    expect(ap50(10, [4.96, 0, 10, 10])).toBe(0); // xmin written 6.0
    expect(ap50(10, [4.94, 0, 10, 10])).toBe(1); // xmin written 5.9
  });

  it("of a resample of the images is that of a set that holds each so many times", () => {
    for (let seed = 0; seed < 30; seed++) {
      const random = randomStream(1, "resample", seed);
      const { set, detections } = randomVoc(seed);
      const scored = detections.map((one) => ({ ...one, score: random.uniform() }));
      const multiplicities = set.images.map(() => random.integer(4));
      const copies = repeated(set, scored, multiplicities);
      for (const rule of ["11-point", "area"] as const) {
        const ours = vocMetrics(matchVoc(set, scored), rule, multiplicities);
        const expected = vocMetrics(matchVoc(copies.set, copies.detections), rule);
        for (const name of ["ap", "ap50", "ap75"] as const) {
          if (Number.isNaN(expected[name])) expect(ours[name]).toBeNaN();
          else expect(ours[name]).toBeCloseTo(expected[name], 12);
        }
      }
    }
  });
});
