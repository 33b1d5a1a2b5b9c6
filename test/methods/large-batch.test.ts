import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { projectRoot } from "../../src/cli/project";

it.runIf(process.env["MOCO_TEST_LONG"])(
  "a batch of 4096 in chunks of 256 takes the memory of a batch of 256 and of the embeddings, within 15 %",
  () => {
    const output = execFileSync("sh", ["bench/run.sh", "large-batch"], { cwd: projectRoot, encoding: "utf8" });
    const [, ratio] = /without one copy of the embeddings \(.*\) ([\d.]+)/.exec(output)!;
    expect(Number(ratio), output).toBeLessThan(1.15);
  },
  900_000,
);
