import { spawn } from "node:child_process";
import { describe, expect, it, vi } from "vitest";
import { projectRoot } from "../../src/cli/project";

/** A process that works in steps of 20 ms and, if `asks`, stops when asked to. */
async function startWork(asks: boolean) {
  const script = `
    const { stopRequested } = require("./dist/display/kernel");
    (async () => {
      for (let step = 0; step < 500; step++) {
        const stop = stopRequested();
        if (step === 0) console.log("began");
        if (stop && ${asks}) { console.log("stopped by itself"); return; }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();`;
  const child = spawn(process.execPath, ["-e", script], { cwd: projectRoot, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (data) => (text += String(data)));
  const code = new Promise((resolve) => child.on("close", resolve));
  await vi.waitFor(() => expect(text).toContain("began"), { timeout: 10_000 });
  return { child, code, text: () => text };
}

describe("stopRequested in a terminal", () => {
  it("lets the work stop by itself at the first Ctrl-C", async () => {
    const { child, code, text } = await startWork(true);
    child.kill("SIGINT");
    expect(await code).toBe(0);
    expect(text()).toBe("began\nstopped by itself\n");
  });

  it("ends the process at the second Ctrl-C", async () => {
    const { child, code } = await startWork(false);
    child.kill("SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill("SIGINT");
    expect(await code).toBe(130);
  });
});
