import { execFileSync } from "node:child_process";
import { join, relative } from "node:path";
import { claimChecksum, readRegisteredClaims, registeredClaimsPath } from "../claims/registered-claims";
import { InputError } from "../errors";
import type { Preset } from "../recipes/presets";
import type { RecordedJudgement } from "../report/recorded-judgements";
import { readRunRecord } from "../runs/run-record";
import { readDetectorRun } from "../runs/run-detector";
import { fault, note, type Finding } from "./finding";

/**
 * Whether claims are those that were registered, and were committed before the runs that judge them: the commit that a run
 * was made at must have the claim in its history.
 */
export function checkClaims(
  judgements: readonly RecordedJudgement[],
  { preset, project }: { readonly preset: Preset; readonly project: string },
): Finding[] {
  const path = registeredClaimsPath(preset, join(project, "results"));
  const where = relative(project, path);
  let registered: ReturnType<typeof readRegisteredClaims>;
  try {
    registered = readRegisteredClaims(path);
  } catch (error) {
    if (error instanceof InputError) return []; // told where files are checked
    throw error;
  }
  if (registered === undefined) {
    return [
      fault(
        where,
        "the claims of the preset are not registered: run moco claims --register, and commit it before the runs",
      ),
    ];
  }
  return judgements.flatMap((judged): Finding[] => {
    const { claim } = judged;
    const entry = registered.find(({ id }) => id === claim.id);
    const checksum = claimChecksum(claim);
    if (entry?.checksum !== checksum) {
      const what = entry === undefined ? "is not registered" : "is judged by something else than what is registered";
      return [fault(where, `claim ${claim.id} ${what}: run moco claims --register`)];
    }
    if (!("evidence" in judged)) return [];
    const since = introducedBy(checksum, where, project);
    if (since === undefined) return [note(where, `claim ${claim.id} is not committed yet`)];
    const files = judged.runs.map((file) => join(project, "results", file));
    const late = files.filter((file) => !madeAfter(commitOf(file), since, project));
    if (late.length === 0) return [];
    return [
      note(
        where,
        `claim ${claim.id} was registered after ${late.length} of the runs that judge it: read its verdict as found, not as foretold`,
      ),
    ];
  });
}

function commitOf(file: string): string | undefined {
  const detector = file.includes("/detect-");
  const manifest = detector ? readDetectorRun(file)?.manifest : readRunRecord(file)?.manifest;
  return manifest?.git?.commit;
}

/** The first commit in which a claim of that checksum is registered. */
function introducedBy(checksum: string, file: string, project: string): string | undefined {
  return git(project, "log", "--reverse", "--format=%H", `-S${checksum}`, "--", file)?.split("\n")[0] || undefined;
}

const order = new Map<string, boolean>();

function madeAfter(commit: string | undefined, since: string, project: string): boolean {
  if (commit === undefined) return false;
  const key = `${since} ${commit}`;
  const known = order.get(key) ?? git(project, "merge-base", "--is-ancestor", since, commit) !== undefined;
  order.set(key, known);
  return known;
}

/** @returns undefined where git fails, or there is none */
function git(cwd: string, ...args: readonly string[]): string | undefined {
  try {
    return execFileSync("git", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}
