import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/cli/project";
import { forgetRun } from "../../src/runs/run-cell";
import { queueSizeAblation } from "../../src/experiments/ablation/queue-size";
import { presetNamed } from "../../src/recipes/presets";
import { installedChromium } from "./chromium";
import { startLab, type Changes, type Lab, type OpenNotebook } from "./lab";

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

  /** Opens a notebook, and closes it at the end; nothing that it shows may come from the network. */
  async function within(
    name: string,
    changes: Changes,
    look: (open: OpenNotebook) => Promise<void>,
    screenshot = name,
  ): Promise<void> {
    const open = await lab.open(name, changes);
    try {
      await look(open);
      expect(open.outside()).toEqual([]);
    } finally {
      await open.screenshot(screenshot);
      await open.close();
    }
  }
  const smoke = { preset: '"smoke"', anew: "true" };
  const charts = ".js-plotly-plot .main-svg";

  for (const name of names) {
    it(`${name} as a clone has it shows each of its figures, whole and none wider than its cell`, async () => {
      await within(name, {}, async ({ page }) => {
        await page.waitForSelector(charts, { timeout: 60_000 });
        await sleep(2000);
        const drawn = await page.locator(".js-plotly-plot, .jp-RenderedImage img").count();
        expect(drawn).toBe(figuresIn(name));
        expect(await page.evaluate(tooWide)).toBe(0);
        // Plotly's renderer puts an image without a source before each chart.
        const broken = await page.evaluate(
          `[...document.querySelectorAll(".jp-OutputArea-output img[src]")].filter(({ naturalWidth }) => naturalWidth === 0).length`,
        );
        expect(broken).toBe(0);
        expect(await page.evaluate(overlaps)).toEqual([]);
      });
    });
  }

  it("00 runs from top to bottom, and a chart can be zoomed", async () => {
    const look = async ({ page, command, settled, errors, screenshot }: OpenNotebook): Promise<void> => {
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
    };
    await within(notebook("00"), {}, look, "00-run");
  });

  it("03 shows a training as it goes; it can be stopped, and goes on", async () => {
    // One epoch, as preset smoke has it, is over before anybody could stop it.
    const longer = "{ ...size, ablations: { ...size.ablations, base: { ...size.ablations.base, epochs: 12 } } }";
    const size = presetNamed("smoke");
    const { base } = size.ablations;
    const { cells } = queueSizeAblation({ ...size, ablations: { ...size.ablations, base: { ...base, epochs: 12 } } });
    for (const { recipe } of cells) forgetRun(recipe, 1);
    const changes: Changes = { parameters: smoke, text: ["queueSizeAblation(size)", `queueSizeAblation(${longer})`] };
    const look = async ({ command, settled, errors, outputs, page, screenshot }: OpenNotebook): Promise<void> => {
      /** Waits until a step above is shown, and returns it. */
      const stepAbove = async (least: number): Promise<number> => {
        for (let tries = 0; tries < 3000; tries++) {
          const step = Number(/K = 128, seed 1\s+step (\d+) of \d+/.exec((await outputs()).join("\n"))?.[1] ?? 0);
          if (step > least) return step;
          await sleep(50);
        }
        throw new Error(`no step above ${least} was shown`);
      };
      await command("notebook:run-all-cells");
      await stepAbove(await stepAbove(0));
      expect(await page.evaluate(tooWide)).toBe(0);
      await screenshot("03-training");
      const asked = Date.now();
      await command("notebook:interrupt-kernel");
      const stopped = await page.waitForFunction(
        `/Training stopped at step (\\d+) of \\d+/.exec(document.body.textContent)?.[1]`,
        undefined,
        { timeout: 30_000 },
      );
      const stoppedAt = Number(await stopped.jsonValue());
      console.log(`stopped at step ${stoppedAt}, ${((Date.now() - asked) / 1000).toFixed(1)} s after the interrupt`);
      await settled();
      await screenshot("03-stopped");
      await command("notebook:run-all-cells");
      await sleep(2000); // until outputs of before are gone
      expect(await stepAbove(0)).toBeGreaterThan(stoppedAt);
      await settled();
      expect(await errors()).toEqual([]);
      expect(await page.locator(charts).count()).toBeGreaterThanOrEqual(3);
    };
    await within(notebook("03"), changes, look, "03-run");
  });

  for (const number of ["04", "06"]) {
    it(`${number} runs at smoke`, async () => {
      const look = async ({ page, command, settled, errors }: OpenNotebook): Promise<void> => {
        await command("notebook:run-all-cells");
        await sleep(2000);
        await settled();
        expect(await errors()).toEqual([]);
        expect(await page.locator(charts).count()).toBeGreaterThanOrEqual(2);
        expect(await page.evaluate(overlaps)).toEqual([]);
      };
      await within(notebook(number), { parameters: smoke }, look, `${number}-run`);
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

/** How many outputs have a figure that is wider than they are. Runs in the page. */
const tooWide = `[...document.querySelectorAll(".jp-OutputArea-output")].filter((output) =>
  [...output.querySelectorAll(".js-plotly-plot, img")].some(
    (shown) => shown.getBoundingClientRect().width > output.getBoundingClientRect().width + 1)).length`;

/** Titles of charts that are cut off or lie over points, legends that lie over points: in words. Runs in the page. */
const overlaps = `[...document.querySelectorAll(".js-plotly-plot")].flatMap((plot) => {
  const place = (selector) => plot.querySelector(selector)?.getBoundingClientRect();
  const [whole, points, title, legend] = [".main-svg", ".nsewdrag", ".gtitle", ".legend"].map(place);
  const name = plot.querySelector(".gtitle")?.textContent ?? "a chart";
  return [
    ...(title && (title.top < whole.top || title.bottom > points.top + 1) ? [name + ": the title"] : []),
    ...(legend && (legend.top < points.bottom || legend.bottom > whole.bottom + 1) ? [name + ": the legend"] : []),
  ];
})`;

/** Outputs of a notebook that have a figure. */
function figuresIn(name: string): number {
  const notebook = JSON.parse(readFileSync(join(projectRoot, "notebooks", `${name}.ipynb`), "utf8")) as {
    cells: { outputs?: { data?: object }[] }[];
  };
  const outputs = notebook.cells.flatMap((cell) => cell.outputs ?? []);
  return outputs.filter(({ data = {} }) => Object.keys(data).some((type) => /^image\/|plotly/.test(type))).length;
}

/** JupyterLab waits a second for a completion, and the compiler's first takes longer: asks again. */
async function pressUntil(page: Page, key: string, condition: string): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    await page.keyboard.press(key);
    await sleep(3000);
    if (await page.evaluate(`Boolean(${condition})`)) return;
  }
  throw new Error(`${key} has not led to ${condition}`);
}
