import { chartBundle } from "../display/chart";
import { escapeHtml } from "../display/table";
import type { AblationResult } from "../experiments/ablation/ablation-result";
import type { EngineComparison } from "../experiments/pytorch-parity/two-engines";
import type { TransferResult } from "../experiments/transfer/transfer-result";
import type { Preset } from "../recipes/presets";
import { detectorRunName, runName } from "../runs/run-name";
import type { Manifest } from "../train/manifest";
import { runAnchor } from "./html-table";
import type { ReportTable } from "./report-table";

/** A run on the page: what it is, and its curve. */
interface RunEntry {
  readonly file: string;
  /** Undefined for what has no manifest of its own: baselines, and the runs of PyTorch. */
  readonly manifest: Omit<Manifest, "recipe" | "data" | "encoder"> | undefined;
  readonly recipe: string;
  readonly data: string;
  /** Steps and losses, or epochs and losses. */
  readonly curve: { readonly axis: string; readonly x: readonly number[]; readonly y: readonly number[] } | undefined;
}

export interface ReportedResults {
  readonly presets: readonly { readonly preset: Preset; readonly ablations: readonly AblationResult[] }[];
  readonly transfers: readonly TransferResult[];
  readonly engines: EngineComparison | undefined;
}

/** Every run that a number of the page is computed from, once, with its manifest and its curve, as HTML. */
export function runEntries(results: ReportedResults, tables: readonly ReportTable[]): string {
  const known = new Map(entriesOf(results).map((entry) => [entry.file, entry]));
  const files = [...new Set(tables.flatMap(({ rows }) => rows.flatMap(({ runs }) => runs)))];
  return files.map((file) => entryHtml(known.get(file) ?? withoutManifest(file))).join("\n");
}

function entriesOf({ presets, transfers, engines }: ReportedResults): RunEntry[] {
  const encoders = presets
    .flatMap(({ preset, ablations }) =>
      ablations.flatMap(({ rows }) => rows.flatMap(({ runs }) => runs.map((run) => ({ ...run, preset })))),
    )
    .map(({ preset, manifest, curve }): RunEntry => {
      const { recipe, data, seed } = manifest;
      return {
        file: `${preset.name}/${runName(recipe, data.checksum, seed)}.json`,
        manifest,
        recipe: recipe.source,
        data: `${data.name}, ${data.trainImages} training images, ${data.checksum}`,
        curve: { axis: "step", x: curve.map(({ step }) => step), y: curve.map(({ loss }) => loss) },
      };
    });
  const detectors = transfers.flatMap(({ transfer, rows }) =>
    rows.flatMap(({ runs }) =>
      runs.map(({ manifest, curve }): RunEntry => {
        const { recipe, initialization, data, seed } = manifest;
        const origin = { encoder: initialization.checksum, data: data.train.checksum };
        return {
          file: `${transfer.name}/${detectorRunName(recipe, origin, seed)}.json`,
          manifest,
          recipe: recipe.source,
          data: `${data.train.name}, ${data.train.images} images, ${data.train.checksum}; began with ${initialization.name}`,
          curve: {
            axis: "step",
            x: curve.map(({ step }) => step),
            y: curve.map(({ objectness, rpnBox, classification, box }) => objectness + rpnBox + classification + box),
          },
        };
      }),
    ),
  );
  const ofEngine = (name: "kit" | "pytorch") =>
    (engines?.runs[name] ?? []).map(({ engine, seed, data, curve }): RunEntry => ({
      file: `cifar10-demo/${name}-seed${seed}.json`,
      manifest: undefined,
      recipe: `the authors' CIFAR-10 notebook, by ${engine}`,
      data,
      curve: { axis: "epoch", x: curve.map(({ epoch }) => epoch), y: curve.map(({ loss }) => loss) },
    }));
  return [...encoders, ...detectors, ...ofEngine("kit"), ...ofEngine("pytorch")];
}

function withoutManifest(file: string): RunEntry {
  return { file, manifest: undefined, recipe: "", data: "", curve: undefined };
}

function entryHtml({ file, manifest, recipe, data, curve }: RunEntry): string {
  const facts: readonly (readonly [string, string])[] = [
    ["file", `results/${file}`],
    ["recipe", manifest === undefined ? recipe : `${manifest.recipeHash}: ${recipe}`],
    ["data", data],
    ...(manifest === undefined ? [] : originFacts(manifest)),
  ];
  const rows = facts
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<details class="run" id="${runAnchor(file)}" data-source="manifest of the run"><summary>${escapeHtml(file)}</summary>
<dl>${rows.join("")}</dl>
${curve === undefined ? "" : `<div class="scroll" tabindex="0" role="region" aria-label="loss along training">${lossSvg(curve)}</div>`}</details>`;
}

/** By what, where and when a run was made. */
function originFacts(manifest: NonNullable<RunEntry["manifest"]>): readonly (readonly [string, string])[] {
  const { seed, machine, versions, git, trainingSeconds, steps, finished } = manifest;
  return [
    ["seed", String(seed)],
    ["trained for", `${trainingSeconds.toFixed(0)} s, ${steps} steps, until ${finished}`],
    ["machine", `${machine.cpu}, ${machine.cores} cores, ${machine.device}`],
    [
      "versions",
      `kit ${versions.kit}, TensorFlow ${versions.tensorflow}, tfjs ${versions.tfjs}, Node ${versions.node}`,
    ],
    ["commit", git === null ? "none" : `${git.commit}${git.modified ? ", with changes" : ""}`],
  ];
}

function lossSvg({ axis, x, y }: NonNullable<RunEntry["curve"]>): string {
  const figure = {
    data: [{ name: "", x, y, mode: "lines" }],
    layout: { xaxis: { title: axis }, yaxis: { title: "loss" } },
  };
  return chartBundle(figure)["image/svg+xml"] as string;
}
