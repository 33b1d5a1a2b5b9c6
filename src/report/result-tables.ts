import type { TextRow } from "../display/table";
import type { AblationResult, ResultRow } from "../experiments/ablation/ablation-result";
import { accuracyRows, agreementRows, footnotes, queueRows } from "../experiments/ablation/ablation-rows";
import type { EngineComparison } from "../experiments/pytorch-parity/two-engines";
import { engineNotes, engineRows } from "../experiments/pytorch-parity/two-engines-rows";
import type { TransferResult, TransferResultRow } from "../experiments/transfer/transfer-result";
import { categoryRows, differenceRows, transferNotes, transferRows } from "../experiments/transfer/transfer-rows";
import type { Preset } from "../recipes/presets";
import { detectorRunName, runName } from "../runs/run-name";
import type { ReportRow, ReportTable } from "./report-table";

/** Where a column's numbers stand that are no results. */
const setting = "setting, see the run's recipe";

/**
 * The tables of an ablation: accuracies, agreement with the paper, what the queue holds.
 *
 * @param folder - of its runs, below `results`: the preset's name
 */
export function ablationTables(result: AblationResult, folder: string): readonly ReportTable[] {
  const { ablation, rows, baselines } = result;
  const [id, title] = [`${folder}-${ablation.id}`, `${ablation.title}, preset ${folder}`];
  const head = ablation.axis.name;
  const byLabel = new Map(rows.map((row) => [row.label, filesOf(row, folder)]));
  const ofLabel = (cells: TextRow) => byLabel.get(cells[head]!) ?? [];
  for (const { label, names } of [...baselines.randomNetworks, baselines.pixels]) {
    byLabel.set(
      label,
      names.map((name) => `${folder}/${name}.json`),
    );
  }
  const reference = byLabel.get(ablation.referenceLabel) ?? [];
  const common = { paper: ablation.paper };
  const published = { claimed: "docs/claims.md", published: ablation.paper };
  const settings = { [head]: setting, parameters: setting };
  const withRuns = (cells: TextRow): ReportRow => ({ cells, runs: ofLabel(cells) });
  return nonEmpty([
    {
      ...common,
      id,
      title,
      rows: accuracyRows(result).map(withRuns),
      printed: { ...settings, ...published },
      notes: footnotes(result),
    },
    {
      ...common,
      id: `${id}-agreement`,
      title: `${title}: each row against ${ablation.referenceLabel}`,
      rows: agreementRows(result).map((cells) => ({ cells, runs: [...ofLabel(cells), ...reference] })),
      printed: settings,
      notes: [],
    },
    {
      ...common,
      id: `${id}-queue`,
      title: `${title}: what the queue holds`,
      rows: queueRows(result).map(withRuns),
      printed: settings,
      notes: [],
    },
  ]);
}

/** The tables of a transfer: metrics, differences, categories. */
export function transferTables(result: TransferResult): readonly ReportTable[] {
  const { transfer, rows } = result;
  const files = new Map(rows.map((row) => [row.label, detectorFiles(row, transfer.name)]));
  const ofLabel = (label: string) => files.get(label.replace(/, masks$/, "")) ?? [];
  const id = `transfer-${transfer.name}`;
  const common = { paper: transfer.paper };
  return nonEmpty([
    {
      ...common,
      id,
      title: transfer.title,
      rows: transferRows(result).map((cells) => {
        const runs = ofLabel(cells["initialization"]!);
        // A number leads to its runs: where there are none, none is told.
        return { cells: runs.length === 0 ? { ...cells, seeds: "–" } : cells, runs };
      }),
      printed: { initialization: setting },
      notes: transferNotes(result),
    },
    {
      ...common,
      id: `${id}-differences`,
      title: `${transfer.title}: differences between rows`,
      rows: differenceRows(result).map((cells) => ({
        cells,
        runs: cells["difference"]!.split(" − ").flatMap(ofLabel),
      })),
      printed: { difference: setting, measure: setting, "in the paper": transfer.paper },
      notes: [],
    },
    {
      ...common,
      id: `${id}-categories`,
      title: `${transfer.title}: AP of each category, in percent, mean over seeds`,
      rows: categoryRows(result).map((cells) => ({ cells, runs: ofLabel(cells["initialization"]!) })),
      printed: { initialization: setting },
      notes: [],
    },
  ]);
}

/** The tables of a preset, in the order of a report. */
export function presetTables(
  preset: Preset,
  ablations: readonly AblationResult[],
  transfers: readonly TransferResult[],
): readonly ReportTable[] {
  return [...ablations.flatMap((result) => ablationTables(result, preset.name)), ...transfers.flatMap(transferTables)];
}

/** The comparison of two engines. */
export function engineTables(comparison: EngineComparison): readonly ReportTable[] {
  const runs = comparison.seeds.flatMap((seed) =>
    ["kit", "pytorch"].map((engine) => `cifar10-demo/${engine}-seed${seed}.json`),
  );
  const rows = engineRows(comparison).map((cells) => ({ cells, runs: [...runs, "cifar10-demo/official.csv"] }));
  return nonEmpty([
    {
      id: "two-engines",
      title: "Two engines, one recipe",
      paper: "the authors' CIFAR-10 notebook",
      rows,
      printed: { epoch: setting },
      notes: engineNotes(comparison),
    },
  ]);
}

function filesOf({ runs }: ResultRow, folder: string): readonly string[] {
  return runs.map(({ manifest: { recipe, data, seed } }) => `${folder}/${runName(recipe, data.checksum, seed)}.json`);
}

function detectorFiles({ runs }: TransferResultRow, folder: string): readonly string[] {
  return runs.map(({ manifest: { recipe, initialization, data, seed } }) => {
    const origin = { encoder: initialization.checksum, data: data.train.checksum };
    return `${folder}/${detectorRunName(recipe, origin, seed)}.json`;
  });
}

function nonEmpty(tables: readonly ReportTable[]): readonly ReportTable[] {
  return tables.filter(({ rows }) => rows.length > 0);
}
