import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { projectRoot, pythonProgram } from "../../src/cli/project";

/** Answers of the Python implementations in reference.py to all cases, from one process. */
export function reference<Answer>(kind: "masks" | "coco" | "voc", cases: readonly unknown[]): readonly Answer[] {
  const { status, stdout, stderr } = spawnSync(pythonProgram("python"), [join(__dirname, "reference.py")], {
    cwd: projectRoot,
    input: JSON.stringify({ kind, cases }),
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
  });
  if (status !== 0) throw new Error(`reference.py failed: ${stderr}`);
  return JSON.parse(stdout) as readonly Answer[];
}
