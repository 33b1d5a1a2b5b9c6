/**
 * COCO's box figures of 5,000 images, 36,000 objects and 500,000 detections in 80 categories: the kit against pycocotools
 * on the same made annotations, in one run. Prints seconds, the ratio, and the largest difference between figures.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cocoAveragePrecision, cocoMetrics, matchCoco } from "../src/detection/metric/coco-metric";
import { noFaults } from "../src/detection/data/annotation-faults";
import { cocoImages } from "../src/detection/data/coco-document";
import type { DetectionSet } from "../src/detection/structures/detection-set";
import { fromCocoResults } from "../src/detection/data/results-json";
import { randomStream } from "../src/engine/random";

const imageCount = 5000;
const objectCount = 36_000;
const detectionsPerImage = 100;
const categoryCount = 80;

function makeCase(): { truth: unknown; results: unknown } {
  const random = randomStream(0, "coco bench");
  const images = Array.from({ length: imageCount }, (_, index) => ({
    id: index + 1,
    file_name: `${index + 1}.jpg`,
    width: 640,
    height: 480,
  }));
  const tenth = (value: number): number => Math.round(value * 10) / 10;
  const box = (): number[] => {
    const [width, height] = [random.uniform(4, 300), random.uniform(4, 300)];
    return [random.uniform(0, 640 - width), random.uniform(0, 480 - height), width, height].map(tenth);
  };
  const category = (): number => 1 + Math.floor(categoryCount * random.uniform() ** 2);
  const byImage = images.map((): { bbox: number[]; category_id: number }[] => []);
  const annotations = Array.from({ length: objectCount }, (_, index) => {
    const at = random.integer(imageCount);
    const bbox = box();
    const object = { id: index + 1, image_id: at + 1, category_id: category(), bbox, area: bbox[2]! * bbox[3]! };
    byImage[at]!.push(object);
    return { ...object, iscrowd: random.integer(100) === 0 ? 1 : 0 };
  });
  const results = images.flatMap(({ id }, at) =>
    Array.from({ length: detectionsPerImage }, () => {
      const near = byImage[at]!.length > 0 && random.integer(3) > 0;
      const object = near
        ? byImage[at]![random.integer(byImage[at]!.length)]!
        : { bbox: box(), category_id: category() };
      const bbox = object.bbox.map((value) => tenth(Math.max(value + random.uniform(-8, 8), 1)));
      return { image_id: id, category_id: object.category_id, bbox, score: tenth(random.uniform() * 100) / 100 };
    }),
  );
  const categories = Array.from({ length: categoryCount }, (_, index) => ({ id: index + 1, name: `c${index + 1}` }));
  return { truth: { info: {}, images, categories, annotations }, results };
}

function seconds<Result>(work: () => Result): { readonly result: Result; readonly time: number } {
  const start = performance.now();
  return { result: work(), time: (performance.now() - start) / 1000 };
}

function main(): void {
  const folder = mkdtempSync(join(tmpdir(), "coco-metric-"));
  try {
    const { truth, results } = makeCase();
    const paths = [join(folder, "truth.json"), join(folder, "results.json")] as const;
    writeFileSync(paths[0], JSON.stringify(truth));
    writeFileSync(paths[1], JSON.stringify(results));

    const python = spawnSync(".venv/bin/python", ["bench/coco-metric.py", ...paths], {
      encoding: "utf8",
      env: { ...process.env, OMP_NUM_THREADS: "1" },
    });
    if (python.status !== 0) throw new Error(python.stderr);
    const theirs = JSON.parse(python.stdout) as { load: number; evaluate: number; stats: number[] };

    const loaded = seconds(() => {
      const [document, found] = paths.map((path): unknown => JSON.parse(readFileSync(path, "utf8")));
      const { categories, images } = cocoImages(document, paths[0], noFaults());
      const set: DetectionSet = { name: "made", categories, images, readPixels: () => Promise.reject(new Error()) };
      return { set, detections: fromCocoResults(set, found, paths[1]) };
    });
    const evaluated = seconds(() => {
      const matches = matchCoco(loaded.result.set, loaded.result.detections, { of: "box" });
      return { matches, figures: cocoMetrics(matches) };
    });
    const { matches, figures } = evaluated.result;
    const once = new Uint8Array(imageCount).fill(1);
    const resample = seconds(() => cocoAveragePrecision(matches, once)).time;

    const { ap, ap50, ap75, apSmall, apMedium, apLarge, ar, arSmall, arMedium, arLarge } = figures;
    const ours = [ap, ap50, ap75, apSmall, apMedium, apLarge, ...ar, arSmall, arMedium, arLarge];
    const difference = Math.max(...ours.map((value, at) => Math.abs(value - theirs.stats[at]!)));
    const row = (name: string, kit: number, other: number): void =>
      console.log(
        `${name}: kit ${kit.toFixed(2)} s, pycocotools ${other.toFixed(2)} s, ratio ${(kit / other).toFixed(3)}`,
      );
    row("read and index", loaded.time, theirs.load);
    row("match and accumulate", evaluated.time, theirs.evaluate);
    console.log(`one resample of AP, AP50, AP75: ${(resample * 1000).toFixed(0)} ms`);
    console.log(`AP ${ap.toFixed(4)}; largest difference of the twelve figures: ${difference.toExponential(1)}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

main();
