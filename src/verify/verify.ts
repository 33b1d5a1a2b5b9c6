import { join } from "node:path";
import { reportPage } from "../report/page";
import { recordedPage } from "../report/recorded-page";
import { recordedJudgements, recordedPresets } from "../report/recorded-judgements";
import { recordedReport, transfersIn } from "../report/recorded-report";
import { checkClaims } from "./check-claims";
import { checkDocuments, isQuick } from "./check-documents";
import { checkNotebooks, isSlowNotebook } from "./check-notebooks";
import { checkPage } from "./check-page";
import { checkResults } from "./check-results";
import type { Finding } from "./finding";

export interface VerifyOptions {
  /** The project's folder. */
  readonly project: string;
  /** Leaves out what takes minutes: AP from detections, and where it stands in documents, report and notebooks. @default false */
  readonly quick?: boolean;
}

/**
 * Checks the chain from each claim to its runs: recorded files, the claims' registration, every number of the documents and of
 * the notebooks, and that each number of the report leads to a run or names its source.
 * Where a recorded file is not what was written nothing further is computed from it.
 */
export async function verify({ project, quick = false }: VerifyOptions): Promise<readonly Finding[]> {
  const root = join(project, "results");
  const files = await checkResults({ project, detections: !quick });
  if (files.some(({ level }) => level === "fault")) return files;
  const transferOf = transfersIn(root);
  const findings = [...files];
  const presets = recordedPresets(root);
  for (const preset of presets) findings.push(...checkClaims(recordedJudgements([preset], root), { preset, project }));
  const report = await recordedReport(presets, root, { quick, transferOf });
  findings.push(...checkPage(reportPage(recordedPage(report, root), "")));
  return [
    ...findings,
    ...(await checkDocuments({ project, transferOf, ...(quick && { wanted: isQuick }) })),
    ...(await checkNotebooks({ project, ...(quick && { wanted: (name) => !isSlowNotebook(name) }) })),
  ];
}
