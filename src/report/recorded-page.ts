import { measuredEncoders } from "../experiments/transfer/measured-encoders";
import { recordedTransferRuns } from "../experiments/transfer/stored-transfer";
import { resultsFolder } from "../runs/run-name";
import { recordedRuns } from "../runs/run-store";
import type { PageContent } from "./page";
import type { RecordedReport } from "./recorded-report";

/** What stands on the page of recorded runs. */
export function recordedPage({ claims, presets, engines }: RecordedReport, root = resultsFolder): PageContent {
  return {
    claims,
    presets: presets.map(({ preset, ablations, transfers }) => ({
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
    })),
    engines,
  };
}
