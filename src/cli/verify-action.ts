import { join, relative } from "node:path";
import { stopRequested } from "../display/kernel";
import { readRunRecord } from "../runs/run-record";
import { acceptDocuments } from "../verify/check-documents";
import type { Finding } from "../verify/finding";
import { sample, trainableAgain, trainAgain } from "../verify/rerun";
import { statedNumbersFile } from "../verify/stated-numbers";
import { recordedPresets } from "../report/recorded-judgements";
import { verify } from "../verify/verify";
import { exitCodes } from "./errors";
import { describeProgress, progressBar } from "./progress-bar";
import { projectRoot } from "./project";
import type { VerifyFlags } from "./verify";

/**
 * What `moco verify` does. A module of its own, since it loads TensorFlow.
 *
 * @returns the exit code: 1 if there is a fault
 */
export async function verifyAction({ quick = false, accept, rerun = 0, json }: VerifyFlags): Promise<number> {
  if (accept) {
    acceptDocuments(projectRoot);
    console.log(
      `Wrote ${statedNumbersFile}. Look at what changed in it before you commit it; "?" stands for a source to give.`,
    );
    return 0;
  }
  const findings: Finding[] = [...(await verify({ project: projectRoot, quick }))];
  const bar = progressBar(process.stderr, describeProgress);
  const root = join(projectRoot, "results");
  try {
    const trainable = recordedPresets(root).flatMap((preset) =>
      trainableAgain(preset, root).map((path) => ({ preset, path })),
    );
    for (const { preset, path } of sample(trainable, rerun)) {
      const where = relative(projectRoot, path);
      console.error(`Training again: ${where}`);
      const options = { stopRequested, onProgress: bar.show };
      findings.push(...(await trainAgain(where, readRunRecord(path)!, preset, options)));
      bar.stop();
    }
  } finally {
    bar.stop();
  }
  const faults = findings.filter(({ level }) => level === "fault");
  if (json) console.log(JSON.stringify({ quick, findings }, null, 2));
  else {
    for (const { level, where, what } of findings) console.log(`${level}: ${where}: ${what}`);
    console.log(
      faults.length === 0
        ? `Verified: every recorded file, claim, table and number of documents, report and notebooks${quick ? ", but for AP, its tables and notebooks 06 and 07, which --quick leaves out" : ""}.`
        : `${faults.length} ${faults.length === 1 ? "fault" : "faults"} found.`,
    );
  }
  return faults.length === 0 ? 0 : exitCodes.failed;
}
