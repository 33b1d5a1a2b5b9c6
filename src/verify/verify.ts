import { join } from "node:path";
import type { Preset } from "../recipes/presets";
import { recordedJudgements, recordedRunsOf } from "../report/recorded-report";
import { checkClaims } from "./check-claims";
import { checkDocuments, isQuick } from "./check-documents";
import { checkResults } from "./check-results";
import type { Finding } from "./finding";

export interface VerifyOptions {
  /** The project's folder. */
  readonly project: string;
  /** Leaves out what takes minutes: AP from detections, and its tables. @default false */
  readonly quick?: boolean;
}

/**
 * Checks the chain from each claim to its runs: recorded files, the claims' registration, and every number of the documents.
 * Where a recorded file is not what was written nothing further is computed from it.
 */
export async function verify(preset: Preset, { project, quick = false }: VerifyOptions): Promise<readonly Finding[]> {
  const root = join(project, "results");
  const files = await checkResults({ project, detections: !quick });
  if (files.some(({ level }) => level === "fault")) return files;
  const runsOf = recordedRunsOf(preset, root);
  return [
    ...files,
    ...checkClaims(recordedJudgements(preset, root), runsOf, { preset, project }),
    ...(await checkDocuments(preset, { project, ...(quick && { wanted: isQuick }) })),
  ];
}
