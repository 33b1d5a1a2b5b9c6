import { measuredEncoders } from "../experiments/transfer/measured-encoders";
import { recordedTransferRuns } from "../experiments/transfer/stored-transfer";
import type { Preset } from "../recipes/presets";
import { resultsFolder } from "../runs/run-name";
import { recordedRuns } from "../runs/run-store";
import type { PageContent } from "./page";
import { recordedJudgements, recordedRunsOf, type RecordedReport } from "./recorded-report";

/** What stands on the page of a preset's recorded runs. */
export function recordedPage(
  preset: Preset,
  { ablations, transfers, engines }: RecordedReport,
  root = resultsFolder,
): PageContent {
  return {
    preset,
    ablations,
    transfers: transfers.map((result) => ({
      result,
      drawing: undefined,
      encoders: measuredEncoders(
        result.transfer,
        recordedTransferRuns(result.transfer, root),
        recordedRuns(result.transfer.preset, root),
      ),
    })),
    engines,
    claims: { judgements: recordedJudgements(preset, root), runsOf: recordedRunsOf(preset, root) },
  };
}
