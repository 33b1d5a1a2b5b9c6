import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { annotationChecksum } from "../detection/data/detection-data";
import { evaluateDetections } from "../detection/metric/evaluate-detections";
import type { DetectionSet } from "../detection/structures/detection-set";
import { InputError } from "../errors";
import { readStalenessFile } from "../experiments/studies/observe-staleness";
import { readRateTrialsFile } from "../experiments/mechanisms/rate-trials";
import { readTwoEngines } from "../experiments/pytorch-parity/read-two-engines";
import { recordedTestSet } from "../experiments/transfer/stored-transfer";
import { transferNamed, transferNames } from "../experiments/transfer/transfer";
import { readRegisteredClaims, registeredClaimsFile } from "../claims/registered-claims";
import { readBaseline } from "../runs/baselines";
import { differenceToPyTorch, firstStepsFolder, readFirstSteps } from "../runs/first-steps";
import { readDetectorRun, readPredictionsFile, type DetectorRun } from "../runs/run-detector";
import { readLinearRun } from "../runs/run-linear";
import { detectorRunName, linearRunName, runName } from "../runs/run-name";
import { readRunRecord } from "../runs/run-record";
import type { Manifest } from "../train/manifest";
import { recipeHash } from "../train/recipe-hash";
import { fault, note, type Finding } from "./finding";

export interface ResultsOptions {
  /** The project's folder; recorded results lie in its `results`. */
  readonly project: string;
  /** Whether AP is computed anew from detections, which takes minutes. */
  readonly detections: boolean;
}

/** SHA-256 of the authors' log of their CIFAR-10 notebook, as it came (200 epochs, columns epoch to knn_top1). */
const officialLog = "82aa3902cfa48beb0811d0ace3e9f5bef5666b219091666bf9dfc3999732b0b2";

/**
 * Checks each recorded file by itself and against the others: that it is what was written, that its name is that of what it
 * holds, that its metrics are those of its predictions, and that a detector's encoder is among the recorded ones.
 */
export async function checkResults({ project, detections }: ResultsOptions): Promise<Finding[]> {
  const root = join(project, "results");
  const files = filesBelow(root);
  const findings: Finding[] = [];
  const encoders = new Set<string>();
  const detectors: { readonly path: string; readonly run: DetectorRun }[] = [];
  const origins: Origin[] = [];
  const claimed = new Set<string>();
  const attempt = (path: string, check: () => readonly Finding[]) => {
    claimed.add(path);
    const where = relative(project, path);
    try {
      findings.push(...check());
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      findings.push(fault(where, error.message.replaceAll(path, where)));
    }
  };
  for (const path of files) {
    const where = relative(project, path);
    const name = basename(path, ".json");
    switch (kindOf(path)) {
      case "run":
        attempt(path, () => {
          const { manifest } = readRunRecord(path)!;
          if (manifest.encoder !== null) encoders.add(manifest.encoder);
          origins.push({ where, manifest });
          const expected = runName(manifest.recipe, manifest.data.checksum, manifest.seed);
          return [...nameFindings(where, name, expected), ...hashFindings(where, manifest)];
        });
        break;
      case "detector":
        attempt(path, () => {
          const run = readDetectorRun(path)!;
          const { recipe, initialization, data, seed } = run.manifest;
          origins.push({ where, manifest: run.manifest });
          if (run.predictionsChecksum === null) return hashFindings(where, run.manifest);
          detectors.push({ path, run });
          const expected = detectorRunName(
            recipe,
            { encoder: initialization.checksum, data: data.train.checksum },
            seed,
          );
          return [...nameFindings(where, name, expected), ...hashFindings(where, run.manifest)];
        });
        break;
      case "linear":
        attempt(path, () => {
          const { manifest } = readLinearRun(path)!;
          origins.push({ where, manifest });
          const { recipe, encoder, data, seed } = manifest;
          const expected = linearRunName(recipe, { encoder: encoder.checksum, data: data.checksum }, seed);
          return [...nameFindings(where, name, expected), ...hashFindings(where, manifest)];
        });
        break;
      case "first-steps":
        attempt(path, () => {
          const steps = readFirstSteps(path)!;
          origins.push({ where, manifest: steps });
          const difference = differenceToPyTorch(steps);
          return [
            ...nameFindings(where, name, steps.recipe.name),
            ...hashFindings(where, steps),
            ...(difference === undefined || difference <= 1e-3
              ? []
              : [fault(where, `its losses differ from PyTorch's by ${difference.toExponential(1)}, more than 1e-3`)]),
          ];
        });
        break;
      case "baseline":
        attempt(path, () => {
          const { origin } = readBaseline(path)!;
          return origin === null
            ? [note(where, "it names no commit and no machine: recorded before that was kept")]
            : [];
        });
        break;
      case "trials":
        attempt(path, () =>
          readRateTrialsFile(path)!.origin === null
            ? [note(where, "it names no commit and no machine: recorded before that was kept")]
            : [],
        );
        break;
      case "staleness":
        attempt(path, () => {
          const { manifest } = readStalenessFile(path)!;
          origins.push({ where, manifest });
          return hashFindings(where, manifest);
        });
        break;
      case "claims":
        attempt(path, () => (readRegisteredClaims(path), []));
        break;
      case "log":
        attempt(path, () => {
          const found = createHash("sha256").update(readFileSync(path)).digest("hex");
          return found === officialLog ? [] : [fault(where, "it is not the authors' log: its SHA-256 is another")];
        });
        break;
      case "engines":
      case "packed":
        break; // below, with what they belong to
      case "unknown":
        findings.push(fault(where, "it is no file that the kit records"));
    }
  }
  const engines = files.filter((path) => kindOf(path) === "engines");
  for (const path of engines.slice(0, 1)) attempt(path, () => (readTwoEngines(dirname(path)), []));
  for (const path of engines) claimed.add(path);
  findings.push(...(await checkDetections(project, root, detectors, encoders, detections, claimed)));
  findings.push(
    ...files
      .filter((path) => kindOf(path) === "packed" && !claimed.has(path))
      .map((path) => fault(relative(project, path), "no recorded run has these detections")),
  );
  return [...findings, ...checkOrigins(origins, project)];
}

type Kind =
  | "run"
  | "detector"
  | "linear"
  | "first-steps"
  | "baseline"
  | "trials"
  | "staleness"
  | "claims"
  | "engines"
  | "log"
  | "packed"
  | "unknown";

/** What a file holds, by its name. */
function kindOf(path: string): Kind {
  const name = basename(path);
  const folder = basename(dirname(path));
  if (name.endsWith(".predictions.json.gz") || name === "test-annotations.json.gz") return "packed";
  if (folder === "staleness") return "staleness";
  if (folder === firstStepsFolder) return "first-steps";
  if (/^(kit|pytorch)-seed\d+\.json$/.test(name)) return "engines";
  if (name === "official.csv") return "log";
  if (name === registeredClaimsFile) return "claims";
  if (/^(pixels|random-network-([a-z0-9-]+-)?\d+)\.json$/.test(name)) return "baseline";
  if (name.endsWith("-rates.json")) return "trials";
  if (/^detect(or)?-.*\.json$/.test(name)) return "detector";
  if (/^linear-.*-seed\d+\.json$/.test(name)) return "linear";
  return /-seed\d+\.json$/.test(name) ? "run" : "unknown";
}

/** Detections against their runs: that they are the ones that were evaluated, and that they give the recorded AP. */
async function checkDetections(
  project: string,
  root: string,
  detectors: readonly { readonly path: string; readonly run: DetectorRun }[],
  encoders: ReadonlySet<string>,
  recompute: boolean,
  claimed: Set<string>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const transferName of transferNames) {
    const folder = join(root, transferName);
    const here = detectors.filter(({ path }) => dirname(path) === folder);
    if (here.length === 0) continue;
    let test: DetectionSet | undefined;
    try {
      test = await recordedTestSet(transferNamed(transferName), root);
      claimed.add(join(folder, "test-annotations.json.gz"));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      findings.push(fault(relative(project, folder), error.message));
      continue;
    }
    const checksum = annotationChecksum(test);
    for (const { path, run } of here) {
      const where = relative(project, path);
      const packed = path.replace(/\.json$/, ".predictions.json.gz");
      claimed.add(packed);
      if (run.manifest.data.test.checksum !== checksum) {
        findings.push(fault(where, `it was evaluated on other annotations than those of ${test.name}`));
        continue;
      }
      const { checksum: encoder, name } = run.manifest.initialization;
      if (encoder !== null && !encoders.has(encoder)) {
        findings.push(fault(where, `it began with the encoder ${name}, which is not among the recorded runs`));
      }
      try {
        const found = readPredictionsFile(packed, test, run.predictionsChecksum);
        if (!recompute) continue;
        const metrics = evaluateDetections(test, found, run.manifest.recipe.metric, run.manifest.recipe.detector);
        for (const measure of ["ap", "ap50", "ap75"] as const) {
          const [is, should] = [run.metrics[measure], metrics[measure]];
          if (Math.abs((is ?? NaN) - should) < 1e-9 || (is === null && Number.isNaN(should))) continue;
          findings.push(fault(where, `${measure} is ${is}, its detections give ${should}`));
        }
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        findings.push(fault(relative(project, packed), error.message.replaceAll(packed, relative(project, packed))));
      }
    }
  }
  return findings;
}

/** A run's file with where it comes from. */
interface Origin {
  readonly where: string;
  readonly manifest: Pick<Manifest, "git">;
}

/** Whether runs were made at commits of the kit, and from files that are those of the commit. */
function checkOrigins(origins: readonly Origin[], project: string): Finding[] {
  const summary = (list: readonly Origin[], what: string) =>
    list.length === 0
      ? []
      : [note(list[0]!.where, `${what}${list.length === 1 ? "" : `, and so have ${list.length - 1} more`}`)];
  const commits = new Set(origins.flatMap(({ manifest }) => manifest.git?.commit ?? []));
  const known = new Set([...commits].filter((commit) => isCommit(commit, project)));
  return [
    ...summary(
      origins.filter(({ manifest }) => manifest.git === null),
      "it has no commit: made outside a checkout",
    ),
    ...summary(
      origins.filter(({ manifest }) => manifest.git?.modified === true),
      "it has files that differed from the commit that it names",
    ),
    ...summary(
      origins.filter(({ manifest: { git } }) => git !== null && !known.has(git.commit)),
      "it has a commit that is not in the history of this checkout",
    ),
  ];
}

function isCommit(commit: string, project: string): boolean {
  try {
    execFileSync("git", ["cat-file", "-e", `${commit}^{commit}`], { cwd: project, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function nameFindings(where: string, name: string, expected: string): Finding[] {
  return name === expected ? [] : [fault(where, `its content is that of ${expected}`)];
}

function hashFindings(
  where: string,
  {
    recipe,
    recipeHash: hash,
  }: Pick<DetectorRun["manifest"], "recipeHash"> & {
    readonly recipe: Parameters<typeof recipeHash>[0];
  },
): Finding[] {
  const expected = recipeHash(recipe);
  return hash === expected ? [] : [fault(where, `its recipe has the hash ${expected}, the manifest says ${hash}`)];
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
