import { presetNamed } from "../recipes/presets";
import { writeDocuments } from "../verify/check-documents";
import { projectRoot } from "./project";
import type { ReportFlags } from "./report";

/** What `moco report` does. A module of its own, since it loads TensorFlow. */
export async function reportAction({ preset: name, write }: ReportFlags): Promise<void> {
  const preset = presetNamed(name);
  if (write) {
    await writeDocuments(preset, projectRoot);
    console.log("Wrote the computed tables of README.md and REPRODUCE.md.");
  }
}
