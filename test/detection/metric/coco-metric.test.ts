import { describe, expect, it } from "vitest";
import { randomStream } from "../../../src/engine/random";
import {
  cocoAveragePrecision,
  cocoMetrics,
  matchCoco,
  type CocoMetrics,
} from "../../../src/detection/metric/coco-metric";
import type { Detection } from "../../../src/detection/structures/detection-set";
import { fromCocoResults } from "../../../src/detection/data/results-json";
import { randomCoco, repeated, setOf } from "../random-cases";
import { reference } from "../reference";

const maxDets = [
  [1, 10, 100],
  [1, 3, 5],
  [2, 20, 400],
] as const;

/** In the order of COCO's program, which writes -1 where nothing is to be found. */
function stats(metrics: CocoMetrics): number[] {
  const { ap, ap50, ap75, apSmall, apMedium, apLarge, ar, arSmall, arMedium, arLarge } = metrics;
  return [ap, ap50, ap75, apSmall, apMedium, apLarge, ...ar, arSmall, arMedium, arLarge].map((value) =>
    Number.isNaN(value) ? -1 : value,
  );
}

describe.each(["box", "mask"] as const)("COCO's metrics for %s detections", (of) => {
  it("are those of pycocotools on 500 random cases", () => {
    const cases = Array.from({ length: 500 }, (_, seed) => ({
      ...randomCoco(seed, of),
      iouType: of === "box" ? "bbox" : "segm",
      maxDets: maxDets[seed % 3]!,
    }));
    const expected = reference<number[]>("coco", cases);
    let found = 0;
    cases.forEach(({ truth, results, maxDets: maxDetections }, seed) => {
      const set = setOf(truth);
      const matches = matchCoco(set, fromCocoResults(set, results, "case"), { of, maxDetections });
      stats(cocoMetrics(matches)).forEach((value, at) => {
        expect(Math.abs(value - expected[seed]![at]!), `case ${seed}, figure ${at}`).toBeLessThan(1e-9);
        if (value > 0 && value < 1) found++;
      });
    });
    // The cases say something: most metrics lie between nothing and everything.
    expect(found).toBeGreaterThan(2500);
  });

  it("of a resample of the images are those of a set that holds each so many times", () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = randomStream(1, "resample", seed);
      const { truth, results } = randomCoco(seed, of);
      const set = setOf(truth);
      // All scores differ: copies of equal ones would come in another order.
      const detections = fromCocoResults(set, results, "case").map((detection) => ({
        ...detection,
        score: random.uniform(),
      }));
      const multiplicities = set.images.map(() => random.integer(4));
      const copies = repeated(set, detections, multiplicities);
      const matches = matchCoco(set, detections, { of });
      const expected = cocoMetrics(matchCoco(copies.set, copies.detections, { of }));
      expectClose(stats(cocoMetrics(matches, multiplicities)), stats(expected));
      const { ap, ap50, ap75 } = cocoAveragePrecision(matches, multiplicities);
      expectClose([ap, ap50, ap75], [expected.ap, expected.ap50, expected.ap75]);
    }
  });
});

function expectClose(values: readonly number[], expected: readonly number[]): void {
  values.forEach((value, at) => {
    if (Number.isNaN(expected[at])) expect(value).toBeNaN();
    else expect(value).toBeCloseTo(expected[at]!, 12);
  });
}

describe("COCO's metrics", () => {
  const truth = {
    categories: [
      { id: 1, name: "cat" },
      { id: 2, name: "dog" },
    ],
    images: [{ id: 1, file_name: "1.jpg", width: 100, height: 100 }],
    annotations: [{ image_id: 1, category_id: 1, bbox: [10, 10, 40, 40], area: 1600, iscrowd: 0 }],
  };
  const set = setOf(truth);
  const detection: Detection = { imageId: 1, category: 0, box: [10, 10, 50, 50], score: 1 };

  it("leave out categories without objects, and are NaN where there are none", () => {
    const metrics = cocoMetrics(matchCoco(set, [detection, { ...detection, category: 1 }], { of: "box" }));
    expect(metrics).toMatchObject({ ap: 1, apSmall: NaN, apMedium: 1, apLarge: NaN, ar: [1, 1, 1] });
    expect(metrics.categoryAp).toEqual([1, NaN]);
  });

  it("are 0 without detections", () => {
    expect(cocoMetrics(matchCoco(set, [], { of: "box" }))).toMatchObject({ ap: 0, ap50: 0, ar: [0, 0, 0] });
  });

  it("refuse detections that are not of the set or no numbers", () => {
    const match = (change: Partial<Detection>) => () => matchCoco(set, [{ ...detection, ...change }], { of: "box" });
    expect(match({ imageId: 2 })).toThrow(
      "imageId of detection 0 must be that of an image in case, current value is 2",
    );
    expect(match({ category: 2 })).toThrow("must be an integer from 0 to 1, current value is 2");
    expect(match({ score: NaN })).toThrow("score and box of detection 0 must be finite, current values are NaN");
  });

  it("of masks refuse detections and objects without one, or of another size", () => {
    expect(() => matchCoco(set, [detection], { of: "mask" })).toThrow(/image 1 must have a mask .* current is none/);
    const mask = { size: [5, 5] as const, counts: Uint32Array.of(25) };
    const detections = [{ ...detection, category: 1, mask }];
    expect(() => matchCoco(set, detections, { of: "mask" })).toThrow("current is height 5, width 5");
  });

  it("refuse limits that do not rise", () => {
    expect(() => matchCoco(set, [], { of: "box", maxDetections: [10, 10, 100] })).toThrow(
      "current value is 10, 10, 100",
    );
  });
});
