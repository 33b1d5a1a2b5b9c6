import { spawn, type ChildProcess } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium, type Browser, type Page } from "playwright-core";
import { projectRoot } from "../../src/cli/project";

/** Where copies of notebooks and screenshots go, inside the project, so that the kernel finds the library. */
const folder = join("runs", "browser");
/** High enough that JupyterLab draws every cell; it leaves out those that are off the screen. */
const viewport = { width: 1280, height: 14_000 };

/** JupyterLab, started by `moco lab`, and a browser. */
export interface Lab {
  /** Opens a copy of a notebook. */
  readonly open: (name: string, changes?: Changes) => Promise<OpenNotebook>;
  readonly close: () => Promise<void>;
}

/** What differs between a notebook and its copy. */
export interface Changes {
  /** Values of constants with a type, which the parameters are: TypeScript, by their names. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Text of cells, and what takes its place. */
  readonly text?: readonly [from: string, to: string];
}

/** A notebook on screen. */
export interface OpenNotebook {
  readonly page: Page;
  /** Executes a command of JupyterLab, for example "notebook:run-all-cells", and does not wait for its end. */
  readonly command: (id: string) => Promise<void>;
  /** Waits until no cell runs or waits to. */
  readonly settled: () => Promise<void>;
  /** Text of the outputs that are errors. */
  readonly errors: () => Promise<string[]>;
  /** Each output as text: of a figure, what it says where none can be drawn. */
  readonly outputs: () => Promise<string[]>;
  /** Addresses that were asked for and lie on another machine. */
  readonly outside: () => readonly string[];
  /** Puts a cell at the end and runs it. */
  readonly runCell: (source: string) => Promise<void>;
  /** Ends its kernel and closes it. */
  readonly close: () => Promise<void>;
  /** Kept as an artifact of the tests. */
  readonly screenshot: (name: string) => Promise<void>;
}

/** @param program - of Chromium */
export async function startLab(program: string): Promise<Lab> {
  mkdirSync(join(projectRoot, folder), { recursive: true });
  const port = await freePort();
  const token = "moco-browser-test";
  const server = spawn(
    join(projectRoot, "bin", "moco"),
    [
      "lab",
      "--",
      "--no-browser",
      "--allow-root",
      "--port",
      String(port),
      `--IdentityProvider.token=${token}`,
      "--LabApp.expose_app_in_browser=True",
      "--ServerApp.log_level=ERROR",
    ],
    { cwd: projectRoot, stdio: "ignore", detached: true },
  );
  const address = `http://127.0.0.1:${port}`;
  await answers(server, `${address}/api`);
  // Chromium's own sandbox does not work for root, in containers.
  const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
  return {
    open: async (name, changes = {}) => {
      const path = join(folder, `${name}.ipynb`);
      cpSync(join(projectRoot, "notebooks", `${name}.ipynb`), join(projectRoot, path));
      change(join(projectRoot, path), changes);
      return openNotebook(browser, `${address}/lab/tree/${path}?reset&token=${token}`);
    },
    close: async () => {
      await browser.close();
      // The group: the command and the server that it started, whose kernels end with it.
      process.kill(-server.pid!, "SIGTERM");
      await sleep(3000);
      try {
        process.kill(-server.pid!, "SIGKILL");
      } catch {
        // It has ended.
      }
    },
  };
}

async function openNotebook(browser: Browser, address: string): Promise<OpenNotebook> {
  const page = await browser.newPage({ viewport });
  const outside: string[] = [];
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (!["data:", "blob:"].includes(protocol) && hostname !== "127.0.0.1") outside.push(request.url());
  });
  await page.goto(address, { timeout: 120_000 });
  await page.waitForSelector(".jp-Notebook .jp-Cell", { timeout: 120_000 });
  // Before that, running a cell asks for a kernel.
  await page.waitForFunction(
    `window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === "idle"`,
    undefined,
    { timeout: 180_000 },
  );
  const command = async (id: string, args = "{}"): Promise<void> => {
    await page.evaluate(`void window.jupyterapp.commands.execute(${JSON.stringify(id)}, ${args})`);
  };
  const settled = async (): Promise<void> => {
    await page.waitForFunction(
      `[...document.querySelectorAll(".jp-Notebook .jp-InputArea-prompt")].every(({ textContent }) => !textContent.includes("*"))
       && document.querySelector(".jp-Notebook-ExecutionIndicator")?.dataset.status === "idle"`,
      undefined,
      { timeout: 540_000 },
    );
  };
  const texts = (selector: string): Promise<string[]> =>
    page.evaluate(
      `[...document.querySelectorAll(${JSON.stringify(selector)})].map(({ textContent }) => textContent ?? "")`,
    );
  return {
    page,
    command,
    settled,
    errors: () => texts('.jp-Notebook [data-mime-type="application/vnd.jupyter.stderr"]'), // errors too
    outputs: () =>
      page.evaluate(`window.jupyterapp.shell.currentWidget.content.widgets.flatMap(({ model: { outputs } }) =>
        Array.from({ length: outputs?.length ?? 0 }, (_, index) => {
          const { data } = outputs.get(index);
          return String(data["text/plain"] ?? Object.values(data)[0]);
        }))`),
    outside: () => outside,
    runCell: async (source) => {
      await page.evaluate(`(async () => {
        const { content } = window.jupyterapp.shell.currentWidget;
        content.activeCellIndex = content.widgets.length - 1;
        await window.jupyterapp.commands.execute("notebook:insert-cell-below");
        content.activeCell.model.sharedModel.setSource(${JSON.stringify(source)});
      })()`);
      await command("notebook:run-cell");
      await sleep(500);
      await settled();
    },
    close: async () => {
      await page.evaluate(`window.jupyterapp.shell.currentWidget.sessionContext.shutdown()`);
      await page.close();
    },
    screenshot: async (name) => {
      await page.screenshot({ path: join(projectRoot, folder, `${name}.png`) });
    },
  };
}

function change(path: string, { parameters = {}, text }: Changes): void {
  const notebook = JSON.parse(readFileSync(path, "utf8")) as { cells: { source: string | string[] }[] };
  for (const cell of notebook.cells) {
    let source = [cell.source].flat().join("");
    for (const [name, value] of Object.entries(parameters)) {
      source = source.replace(new RegExp(`^(const ${name}: \\w+ = )[^;]*;`, "m"), `$1${value};`);
    }
    cell.source = text === undefined ? source : source.replaceAll(...text);
  }
  writeFileSync(path, JSON.stringify(notebook));
}

async function answers(server: ChildProcess, address: string): Promise<void> {
  for (let tries = 0; tries < 240; tries++) {
    if (server.exitCode !== null) throw new Error(`moco lab ended with code ${server.exitCode}`);
    try {
      if ((await fetch(address)).ok) return;
    } catch {
      // Not yet.
    }
    await sleep(500);
  }
  throw new Error("JupyterLab did not answer within two minutes");
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
