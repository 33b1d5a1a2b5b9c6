import { loadDetectionData, type DetectionData } from "../detection/data/detection-data";
import { InputError } from "../errors";
import { stopRequested } from "../display/kernel";
import { transferTable } from "../report/terminal";
import { runTransfer } from "../experiments/transfer/run-transfer";
import {
  ownTransferRuns,
  recordedTestSet,
  recordedTransferRuns,
  recordTransfer,
  storedTransfer,
} from "../experiments/transfer/stored-transfer";
import { transferMinutes, transferNamed, type Transfer, type TransferRow } from "../experiments/transfer/transfer";
import type { TransferResult } from "../experiments/transfer/transfer-result";
import { describeTraining } from "./detect-action";
import { describeProgress, progressBar } from "./progress-bar";
import type { TransferFlags } from "./transfer";

/** What `moco transfer` does. A module of its own, since it loads TensorFlow. */
export async function transferAction(flags: TransferFlags): Promise<void> {
  const transfer = transferNamed(flags.preset);
  if (flags.recorded && flags.record) {
    throw new InputError("Cannot record what is recorded: leave out --record, or --recorded");
  }
  if (flags.recorded) {
    print(storedTransfer(transfer, await recordedTestSet(transfer), recordedTransferRuns(transfer)), flags);
    return;
  }
  // Listens from here on: a Ctrl-C that comes before the first step stops after it.
  stopRequested();
  const data = await loadDetectionData(transfer.rows[0]!.detection.dataset, flags.root);
  await trainRows(transfer, data, flags);
  print(storedTransfer(transfer, data.test, ownTransferRuns(), flags.seeds), flags);
  if (flags.record) {
    const count = recordTransfer(transfer, data.test, flags.seeds);
    (flags.json ? console.error : console.log)(`Recorded ${count} runs in results/${transfer.name}.`);
  }
}

async function trainRows(transfer: Transfer, data: DetectionData, flags: TransferFlags): Promise<void> {
  const stream = flags.json ? process.stderr : process.stdout;
  const wanted = ({ purpose }: TransferRow) => flags.rows === "all" || purpose === "initialization";
  const rows = transfer.rows.filter(wanted);
  stream.write(
    `${transfer.title}: ${rows.map(({ label }) => label).join("; ")}; ${flags.seeds === 1 ? "one seed" : `${flags.seeds} seeds`}.\n` +
      `About ${Math.ceil((transferMinutes[transfer.name] * flags.seeds * rows.length) / initializations(transfer))} minutes on two cores, ` +
      "less what is trained already. Stop with Ctrl-C at any time: the same command goes on.\n",
  );
  const pretraining = progressBar(stream, describeProgress);
  const training = progressBar(stream, describeTraining);
  let announced: string | undefined;
  const announce = ({ label }: TransferRow, seed: number) => {
    const title = `${label}, seed ${seed}`;
    if (title === announced) return;
    pretraining.stop();
    training.stop();
    stream.write(`${title}\n`);
    announced = title;
  };
  try {
    await runTransfer(transfer, data, {
      seeds: flags.seeds,
      wanted,
      stopRequested,
      onPretraining: (row, seed, progress) => {
        announce(row, seed);
        pretraining.show(progress);
      },
      onProgress: (row, seed, progress) => {
        announce(row, seed);
        pretraining.stop();
        training.show(progress);
      },
    });
  } finally {
    pretraining.stop();
    training.stop();
  }
}

function initializations({ rows }: Transfer): number {
  return rows.filter(({ purpose }) => purpose === "initialization").length;
}

function print(result: TransferResult, { json }: TransferFlags): void {
  console.log(json ? JSON.stringify(transferJson(result), null, 2) : transferTable(result));
}

/** A transfer with its numbers as a script wants it: without the curves of each run. */
function transferJson({ transfer, rows, differences }: TransferResult): unknown {
  return {
    transfer: transfer.name,
    title: transfer.title,
    data: transfer.data,
    rows: rows.map(({ runs, pretraining, ...row }) => ({
      ...row,
      pretraining: pretraining?.name ?? null,
      runs: runs.map(({ manifest, metrics }) => ({ manifest, metrics })),
    })),
    differences,
  };
}
