import { signedInterval } from "../../display/signed";
import type { Figure, Trace } from "../../display/chart";
import { equivalence, type EngineComparison, type EngineEpoch } from "./two-engines";
import type { TextRow } from "../../display/table";

/** What is compared: loss, and kNN accuracy in percent. */
const measures = {
  loss: { title: "loss", scale: 1, digits: 3 },
  knn: { title: "kNN (%)", scale: 100, digits: 1 },
} as const;
type Measure = keyof typeof measures;

const officialName = "official, width 64";

/** Both engines epoch by epoch, their difference with its interval, and the official log beside. */
export function engineRows({ epochs }: EngineComparison): TextRow[] {
  return epochs.map((row) => ({
    epoch: String(row.epoch),
    ...ofMeasure(row, "loss"),
    ...ofMeasure(row, "knn"),
    equivalence: row.equivalence,
  }));
}

/** What was compared, by which rule, and how the official run differs. */
export function engineNotes({ seeds, engines, equivalence: verdict }: EngineComparison): string[] {
  const { loss, knn, level, fromEpoch } = equivalence;
  return [
    seeds.length < 3
      ? `Equivalence is not shown: ${seeds.length} seeds of both engines are recorded, and an interval needs 3.`
      : `Equivalence is ${verdict}, with seeds ${seeds.join(", ")} of ${engines.join(" and ")}.`,
    `It is shown at an epoch where the whole ${100 * level} % interval of the mean difference, paired by seed, lies within ` +
      `±${loss} in loss and ±${100 * knn} points of kNN; epoch ${fromEpoch} is the first to be judged.`,
    "Both engines start from the same weights and take the images in the same order; views are drawn by each.",
    "The official run (facebookresearch/moco, colab/moco_cifar10_demo.ipynb) is not the same: width 64 where ours is 16, the original images where ours are JPEG copies of " +
      "quality 75, kNN over all images where ours is over a part. Of its 200 epochs the first are shown.",
  ];
}

/** Mean curves of both engines, each seed as a point, and the official curve. */
export function engineFigure({ epochs, seeds, runs }: EngineComparison, measure: Measure): Figure {
  const { title, scale } = measures[measure];
  const x = epochs.map(({ epoch }) => epoch);
  const ofEngine = (name: string, engine: "kit" | "pytorch"): Trace[] => {
    const points = runs[engine].filter(({ seed }) => seeds.includes(seed)).flatMap(({ curve }) => curve);
    if (points.length === 0) return [];
    return [
      { name: `${name}, mean`, x, y: epochs.map((row) => scale * row[engine]![measure]), mode: "lines" },
      {
        name: `${name}, seeds`,
        x: points.map(({ epoch }) => epoch),
        y: points.map((point) => scale * point[measure]),
        mode: "markers",
      },
    ];
  };
  const official = epochs.flatMap((row) => row.official ?? []);
  return {
    data: [
      ...ofEngine("kit", "kit"),
      ...ofEngine("PyTorch", "pytorch"),
      {
        name: officialName,
        x: official.map(({ epoch }) => epoch),
        y: official.map((point) => scale * point[measure]),
        mode: "lines",
      },
    ],
    layout: {
      title: { text: `Two engines, one recipe: ${title}` },
      xaxis: { title: { text: "epoch" } },
      yaxis: { title: { text: title } },
    },
  };
}

function ofMeasure({ kit, pytorch, difference, official }: EngineEpoch, measure: Measure): TextRow {
  const { title, scale, digits } = measures[measure];
  const print = (value: number | undefined) => (value === undefined ? "–" : (scale * value).toFixed(digits));
  return {
    [`${title}, kit`]: print(kit?.[measure]),
    [`${title}, PyTorch`]: print(pytorch?.[measure]),
    [`${title}, kit − PyTorch`]: difference
      ? signedInterval(difference[measure].mean, difference[measure], { scale, digits })
      : "–",
    [`${title}, ${officialName}`]: print(official?.[measure]),
  };
}
