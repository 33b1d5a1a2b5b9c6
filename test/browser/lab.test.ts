import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/cli/project";
import { forgetRun } from "../../src/runs/run-cell";
import { queueSizeAblation } from "../../src/experiments/ablation/queue-size";
import { presetNamed } from "../../src/recipes/presets";
import { installedChromium } from "./chromium";
import { startLab, type Lab, type OpenNotebook } from "./lab";

const program = installedChromium();
const names = readdirSync(join(projectRoot, "notebooks"))
  .filter((file) => file.endsWith(".ipynb"))
  .map((file) => file.replace(".ipynb", ""));
const notebook = (number: string): string => names.find((name) => name.startsWith(number))!;

describe.runIf(program !== undefined)("in JupyterLab", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab(program!);
  });
  afterAll(() => lab?.close());

  /** Opens a notebook, and closes it at the end. */
  async function within(
    name: string,
    parameters: Readonly<Record<string, string>>,
    look: (open: OpenNotebook) => Promise<void>,
  ): Promise<void> {
    const open = await lab.open(name, parameters);
    try {
      await look(open);
    } finally {
      await open.screenshot(`${name}${"anew" in parameters ? "-run" : ""}`);
      await open.close();
    }
  }
  const smoke = { preset: '"smoke"', anew: "true" };
  const charts = ".js-plotly-plot .main-svg";

  for (const name of names) {
    it(`${name} as a clone has it shows its charts and images, none wider than its cell`, async () => {
      await within(name, {}, async ({ page }) => {
        await page.waitForSelector(charts, { timeout: 60_000 });
        await sleep(2000);
        const tooWide = await page.evaluate(
          `[...document.querySelectorAll(".jp-OutputArea-output")].filter((output) =>
            [...output.querySelectorAll(".js-plotly-plot, img")].some((shown) => shown.getBoundingClientRect().width > output.getBoundingClientRect().width + 1)).length`,
        );
        expect(tooWide).toBe(0);
        const broken = await page.evaluate(
          `[...document.querySelectorAll(".jp-OutputArea-output img")].filter(({ naturalWidth }) => naturalWidth === 0).length`,
        );
        expect(broken).toBe(0);
      });
    });
  }

  it("00 runs from top to bottom, and a chart can be zoomed", async () => {
    await within(notebook("00"), { seed: "1" }, async ({ page, command, settled, errors, screenshot }) => {
      await command("notebook:run-all-cells");
      await sleep(2000);
      await settled();
      expect(await errors()).toEqual([]);
      const plot = page.locator(".js-plotly-plot").last();
      await plot.scrollIntoViewIfNeeded();
      const range = (): Promise<string> =>
        plot.evaluate((element) =>
          JSON.stringify((element as unknown as { layout: { xaxis: { range: unknown } } }).layout.xaxis.range),
        );
      const before = await range();
      const area = (await plot.locator(".nsewdrag").first().boundingBox())!;
      await page.mouse.move(area.x + 0.3 * area.width, area.y + 0.5 * area.height);
      await page.mouse.down();
      await page.mouse.move(area.x + 0.7 * area.width, area.y + 0.5 * area.height, { steps: 5 });
      await page.mouse.up();
      await sleep(1000);
      expect(await range()).not.toBe(before);
      await screenshot("00-zoomed");
    });
  });

  it("03 shows a training as it goes; it can be stopped, and goes on", async () => {
    const { recipe } = queueSizeAblation(presetNamed("smoke")).cells[1]!;
    forgetRun(recipe, 1);
    await within(notebook("03"), smoke, async ({ page, command, settled, errors, outputs, screenshot }) => {
      await command("notebook:run-all-cells");
      const steps = new Set<string>();
      const said = async (): Promise<string> =>
        /K = 128, seed 1: step (\d+) of \d+/.exec((await outputs()).join("\n"))?.[1] ?? "";
      for (let tries = 0; steps.size < 2 && tries < 3000; tries++) {
        const step = await said();
        if (step !== "") steps.add(step);
        await sleep(100);
      }
      expect(steps.size).toBeGreaterThan(1);
      await screenshot("03-training");
      const asked = Date.now();
      await command("notebook:interrupt-kernel");
      await page.waitForFunction(`document.body.textContent.includes("Training stopped at step")`, undefined, {
        timeout: 30_000,
      });
      const seconds = (Date.now() - asked) / 1000;
      console.log(`stopped ${seconds.toFixed(1)} s after the interrupt`);
      await settled();
      await screenshot("03-stopped");
      await command("notebook:run-all-cells");
      await sleep(2000);
      await settled();
      expect(await errors()).toEqual([]);
      expect(await page.locator(charts).count()).toBeGreaterThanOrEqual(3);
    });
  });

  for (const number of ["04", "06"]) {
    it(`${number} runs at smoke`, async () => {
      await within(notebook(number), smoke, async ({ page, command, settled, errors }) => {
        await command("notebook:run-all-cells");
        await sleep(2000);
        await settled();
        expect(await errors()).toEqual([]);
        expect(await page.locator(charts).count()).toBeGreaterThanOrEqual(2);
      });
    });
  }

  it("completes names of the library, shows their documentation, and says an error in short", async () => {
    await within(notebook("00"), {}, async ({ page, command, settled, errors, runCell, screenshot }) => {
      await runCell('import { Sgd, updateMomentumEncoder } from "moco-kit";');
      await command("notebook:insert-cell-below");
      await command("notebook:enter-edit-mode");
      await page.keyboard.type("updateMom");
      await pressUntil(
        page,
        "Tab",
        `document.querySelector(".jp-Completer")?.textContent.includes("updateMomentumEncoder")
         || window.jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.getSource().includes("updateMomentumEncoder")`,
      );
      await screenshot("completion");
      await page.keyboard.press("Enter");
      await pressUntil(page, "Shift+Tab", `document.querySelector(".jp-Tooltip")?.textContent.includes("Equation 2")`);
      await screenshot("documentation");
      await page.keyboard.press("Escape");
      await runCell("const options: { learningRate: number } = { learningRat: 1 };");
      await settled();
      const [error] = await errors();
      expect(error).toMatch(/^CompileError: Did you mean learningRate\? .*\n\s+at In\[\d+\]:1:\d+\s*$/);
      await screenshot("error");
    });
  });
});

/** JupyterLab waits a second for a completion, and the compiler's first takes longer: asks again. */
async function pressUntil(page: Page, key: string, condition: string): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    await page.keyboard.press(key);
    await sleep(3000);
    if (await page.evaluate(`Boolean(${condition})`)) return;
  }
  throw new Error(`${key} has not led to ${condition}`);
}
