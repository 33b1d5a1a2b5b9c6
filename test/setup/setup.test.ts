import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

/*
 * The real set-up script, in a project of its own, with stand-ins for npm, Python and the compiler: each writes down its
 * call and leaves the files that the real one would leave. Where a file `hang-NAME` lies in the project, NAME hangs.
 */
const FAKE_NPM = `#!/bin/sh
PATH=/usr/bin:/bin
[ "$1" = --version ] && exit 0
echo "npm $1" >> calls
case "$*" in *--ignore-scripts*) ;; *) echo "npm would run scripts" >> calls ;; esac
[ -e fail-npm ] && { echo "npm error code ENOTFOUND" >&2; exit 1; }
rm -rf node_modules
mkdir -p node_modules/.bin node_modules/typescript/bin node_modules/assemblyscript/bin node_modules/@tensorflow/tfjs-node-gpu/binding
[ -e hang-npm ] && { rm hang-npm; sleep 60; }
cat > node_modules/typescript/bin/tsc <<'TSC'
const fs = require("node:fs");
fs.appendFileSync("calls", "tsc\\n");
fs.mkdirSync("dist/cli", { recursive: true });
fs.writeFileSync("dist/cli/main.js", "");
TSC
cat > node_modules/assemblyscript/bin/asc.js <<'ASC'
require("node:fs").appendFileSync("calls", "asc\\n");
ASC
echo '{}' > node_modules/.package-lock.json
`;

const FAKE_PYTHON = `#!/bin/sh
PATH=/usr/bin:/bin
case "$*" in
  -c*sys.version_info*) echo "3 11 7 venv ensurepip" ;;
  -c*find_spec*) mkdir -p .venv/tensorflow; echo "$PWD/.venv/tensorflow" ;;
  "-m venv .venv") echo venv >> calls; mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
  *kernelspecapp*) echo kernelspec >> calls; mkdir -p .venv/share/jupyter/kernels/moco-kit
    cp kernel/kernel.json .venv/share/jupyter/kernels/moco-kit ;;
  *papermill-typescript) echo plug-in >> calls ;;
  *-r*) echo "pip $(echo "$*" | sed 's/.*-r //')" >> calls
    case "$*" in *--require-hashes*) ;; *) echo "pip would take any file" >> calls ;; esac
    [ -e hang-pip ] && { rm hang-pip; sleep 60; } ;;
esac
exit 0
`;

const FAKE_COMPILER = `#!/bin/sh
PATH=/usr/bin:/bin
[ "$1" = --version ] && exit 0
echo c++ >> calls
for last in "$@"; do :; done
echo addon > "$last"
`;

const ALL = ["npm ci", "venv", "pip setup/requirements.txt", "c++", "plug-in", "kernelspec", "tsc", "asc"];

describe("the set-up", () => {
  let root: string;
  let bin: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "moco-kit-setup-"));
    bin = join(root, "bin");
    cpSync(join(__dirname, "../../setup"), join(root, "setup"), { recursive: true });
    write("package.json", "{}");
    write("package-lock.json", "{}");
    write("src/index.ts", "");
    write("kernel/kernel.json", "{}");
    write("kernel/papermill-typescript/pyproject.toml", "");
    fake("npm", FAKE_NPM);
    fake("python3", FAKE_PYTHON);
    fake("c++", FAKE_COMPILER);
  });

  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function write(path: string, content: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }

  function fake(command: string, script: string): void {
    write(`bin/${command}`, script);
    chmodSync(join(bin, command), 0o755);
  }

  function start(...args: string[]) {
    return spawn(process.execPath, ["setup/setup.mjs", ...args], { cwd: root, env: { PATH: bin }, stdio: "ignore" });
  }

  function setUp(...args: string[]) {
    return spawnSync(process.execPath, ["setup/setup.mjs", ...args], {
      cwd: root,
      env: { PATH: bin },
      encoding: "utf8",
      timeout: 30_000,
    });
  }

  /** The commands called since the last time it was asked. */
  function calls(): string[] {
    const file = join(root, "calls");
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, "utf8").trim().split("\n");
    rmSync(file);
    return lines;
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  it("does every step once, and none when run again", () => {
    expect(setUp()).toMatchObject({ status: 0, stderr: "" });
    expect(calls()).toEqual(ALL);
    const again = setUp();
    expect(again).toMatchObject({ status: 0, stdout: "set-up: up to date (TensorFlow for the CPU)\n", stderr: "" });
    expect(setUp("--quiet")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(calls()).toEqual([]);
  });

  it("names everything that is missing and the command that installs it", () => {
    rmSync(bin, { recursive: true });
    const { status, stderr } = setUp();
    expect(status).toBe(1);
    expect(stderr).toContain("these 3 things are missing");
    expect(stderr).toContain("sudo apt-get install npm");
    expect(stderr).toContain("Python 3.10 to 3.13 with venv (no Python was found)");
    expect(stderr).toContain("sudo apt-get install python3 python3-venv");
    expect(stderr).toContain("sudo apt-get install g++");
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it("asks for Debian's venv package where Python lacks the module", () => {
    fake("python3", "#!/bin/sh\necho 3 12 1 venv\n");
    expect(setUp().stderr).toContain("sudo apt-get install python3.12-venv");
  });

  it("says which Python was found where TensorFlow has no wheel for it, and takes another one that fits", () => {
    fake("python3", "#!/bin/sh\necho 3 14 0 venv ensurepip\n");
    expect(setUp().stderr).toContain("Python 3.10 to 3.13 with venv (python3 is 3.14.0)");
    fake("python3.12", FAKE_PYTHON);
    expect(setUp().status).toBe(0);
  });

  it("does not need a compiler when only the library changed", () => {
    setUp();
    calls();
    rmSync(join(bin, "c++"));
    write("src/index.ts", "export {};");
    expect(setUp().status).toBe(0);
    expect(calls()).toEqual(["tsc", "asc"]);
  });

  it("does again what a change touches, and what builds on it", () => {
    setUp();
    calls();
    write("setup/requirements.txt", "other==1.0\n");
    setUp();
    expect(calls()).toEqual(["venv", "pip setup/requirements.txt", "c++", "plug-in", "kernelspec"]);
    write("package-lock.json", '{"changed":true}');
    setUp();
    expect(calls()).toEqual(["npm ci", "c++", "tsc", "asc"]);
    rmSync(join(root, ".venv/bin/python"));
    setUp();
    expect(calls()).toEqual(["venv", "pip setup/requirements.txt", "c++", "plug-in", "kernelspec"]);
  });

  it("removes from the library what has no source any more", () => {
    setUp();
    write("dist/gone.js", "");
    // Older than the build that follows.
    spawnSync("touch", ["-d", "2020-01-01", join(root, "dist/gone.js")]);
    write("src/index.ts", "export {};");
    setUp();
    expect(existsSync(join(root, "dist/gone.js"))).toBe(false);
    expect(existsSync(join(root, "dist/cli/main.js"))).toBe(true);
  });

  it("keeps the GPU packages once chosen, until the CPU is asked for", () => {
    setUp();
    calls();
    setUp("--gpu");
    expect(calls()).toEqual(["venv", "pip setup/requirements-gpu.txt", "c++", "plug-in", "kernelspec"]);
    setUp();
    expect(calls()).toEqual([]);
    setUp("--cpu");
    expect(calls()).toContain("pip setup/requirements.txt");
  });

  it.each([
    ["npm", ALL],
    ["pip", ALL.slice(1)],
  ])("killed during %s, goes on with that step when run again", async (tool, expected) => {
    write(`hang-${tool}`, "");
    const child = start();
    const ended = once(child, "exit");
    await until(() => existsSync(join(root, "calls")) && !existsSync(join(root, `hang-${tool}`)));
    child.kill("SIGKILL");
    await ended;
    calls();
    expect(setUp().status).toBe(0);
    expect(calls()).toEqual(expected);
    expect(setUp("--quiet")).toMatchObject({ status: 0, stdout: "" });
  });

  it("stopped by Ctrl-C, stops its child and says what to do", async () => {
    write("hang-pip", "");
    const child = spawn(process.execPath, ["setup/setup.mjs"], { cwd: root, env: { PATH: bin } });
    let stderr = "";
    child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
    const ended = once(child, "close");
    await until(() => existsSync(join(root, "calls")) && !existsSync(join(root, "hang-pip")));
    const lock = JSON.parse(readFileSync(join(root, "build/setup.lock"), "utf8")) as { child: { pid: number } };
    child.kill("SIGINT");
    await ended;
    expect(child.exitCode).toBe(130);
    expect(stderr).toContain("Run the same command again");
    expect(() => process.kill(lock.child.pid, 0)).toThrow("ESRCH");
    expect(existsSync(join(root, "build/setup.lock"))).toBe(false);
  });

  it("runs once where two are started at the same time", async () => {
    const ends = await Promise.all([start(), start()].map((child) => once(child, "exit")));
    expect(ends.map(([code]) => code as number)).toEqual([0, 0]);
    expect(calls()).toEqual(ALL);
  });

  it("takes over the lock of a set-up that is gone, though another process has its id now", () => {
    write("build/setup.lock", JSON.stringify({ pid: process.pid, started: "1" }));
    expect(setUp().status).toBe(0);
    write("package-lock.json", '{"changed":true}');
    write("build/setup.lock", "half a loc");
    expect(setUp().status).toBe(0);
  });

  it("shows the end of a failing tool's output and what to try", () => {
    write("fail-npm", "");
    const { status, stderr } = setUp();
    expect(status).toBe(1);
    expect(stderr).toContain("npm packages: this command failed (1): npm ci");
    expect(stderr).toContain("| npm error code ENOTFOUND");
    expect(stderr).toContain("Check the network");
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it("rejects an option that it does not know", () => {
    expect(setUp("--gpus")).toMatchObject({ status: 2 });
    expect(setUp("--gpu", "--cpu").stderr).toContain("choose one of --gpu and --cpu");
  });
});
