import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/cli/project";
import { moco } from "../cli/moco";
import { installedChromium } from "./chromium";

const program = installedChromium();
const folder = join(projectRoot, "runs", "browser");

describe.runIf(program !== undefined)("the page of the report", () => {
  let browser: Browser;
  // The report draws bootstraps of all recorded detections: 50 s on two cores.
  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    const { code, stderr } = await moco("report", "--output", join(folder, "report"));
    expect(code, stderr).toBe(0);
    browser = await chromium.launch({ executablePath: program!, args: ["--no-sandbox"] });
  }, 400_000);
  afterAll(() => browser?.close());

  for (const width of [390, 1280]) {
    it(`asks for nothing but itself, and fits into ${width} pixels`, async () => {
      const page = await browser.newPage({ viewport: { width, height: 900 } });
      const asked: string[] = [];
      const complaints: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      const address = pathToFileURL(join(folder, "report", "index.html")).href;
      await page.goto(address);
      await page.waitForSelector(".js-plotly-plot .main-svg");
      expect(asked.filter((url) => !/^(data|blob):/.test(url))).toEqual([address]);
      // A script that the page did not bring is not run: the policy holds, and says so.
      expect(complaints).toEqual([]);
      await page.evaluate(
        `document.body.append(Object.assign(document.createElement("script"), { textContent: "window.ran = true" }))`,
      );
      expect(await page.evaluate("window.ran")).toBeUndefined();
      expect(complaints.join()).toContain("Content Security Policy");
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      // From a number to its run: one of a row with one run leads there at once, others by the list of the row's runs.
      await page.locator('table td a[href^="#from-"]').first().click();
      const toRun = page.locator("li:target a").first();
      await toRun.click();
      await page.locator("details.run:target[open] dl").waitFor({ state: "visible" });
      await page.screenshot({ path: join(folder, `report-${width}.png`), fullPage: true });
      await page.close();
    });
  }
});
