/** What the set-up needs of the machine, and how to get what is missing. */
import { spawnSync } from "node:child_process";
import { statfsSync } from "node:fs";

const NODE = [20, 19];
// The Pythons that TensorFlow 2.21 has wheels for.
const PYTHON_MINOR = [10, 13];
const PYTHONS = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"];
const COMPILERS = ["c++", "g++", "clang++"];
// node_modules 0.8 GB, .venv 1.9 GB (CUDA libraries: about 5 GB more), and room for what is being unpacked.
const DISK_GB = { cpu: 4, gpu: 12 };

const PROBE = `
import sys
modules = []
for name in ("venv", "ensurepip"):
    try:
        __import__(name)
        modules.append(name)
    except ImportError:
        pass
print(*sys.version_info[:3], *modules)`;

/** A message where this Node is too old to go on, else undefined. */
export function oldNode(version = process.versions.node) {
  const [major, minor] = version.split(".").map(Number);
  if (major > NODE[0] || (major === NODE[0] && minor >= NODE[1])) return undefined;
  return missing(`Node ${NODE.join(".")} or newer: this is Node ${version}`, {
    any: "nvm install 22 (nvm: github.com/nvm-sh/nvm), or an installer from nodejs.org",
  });
}

/**
 * Looks for what the steps need.
 *
 * @param needs - any of "npm", "python", "compiler", "disk"
 * @returns the commands found, and a message for each thing that is missing
 */
export function inspectMachine(needs, { root, gpu }) {
  const found = { python: undefined, compiler: undefined, missing: [] };
  if (process.platform === "win32") {
    found.missing.push("  Linux or macOS: on Windows, run the kit inside WSL 2 (wsl --install)");
    return found;
  }
  if (gpu && !(process.platform === "linux" && process.arch === "x64")) {
    found.missing.push("  Linux x64 for --gpu: TensorFlow has no CUDA wheel elsewhere; leave --gpu out");
  }
  if (needs.has("npm") && !works("npm")) {
    found.missing.push(missing("npm", { linux: "sudo apt-get install npm", darwin: "brew install node" }));
  }
  if (needs.has("python")) {
    const python = findPython();
    found.python = python.command;
    if (python.command === undefined) found.missing.push(python.message);
  }
  if (needs.has("compiler")) {
    found.compiler = COMPILERS.find(works);
    if (found.compiler === undefined) {
      const what = `C++ compiler (none of ${COMPILERS.join(", ")} was found)`;
      found.missing.push(missing(what, { linux: "sudo apt-get install g++", darwin: "xcode-select --install" }));
    }
  }
  if (needs.has("disk")) {
    const wanted = gpu ? DISK_GB.gpu : DISK_GB.cpu;
    const disk = statfsSync(root);
    const free = (disk.bavail * disk.bsize) / 1e9;
    if (free < wanted)
      found.missing.push(`  Disk space: free ${wanted} GB in this folder, ${free.toFixed(1)} GB are free now`);
  }
  return found;
}

function findPython() {
  const seen = [];
  let withoutVenv;
  for (const command of PYTHONS) {
    const [major, minor, patch, ...modules] = output(command, ["-c", PROBE]).trim().split(" ");
    if (patch === undefined) continue;
    seen.push(`${command} is ${major}.${minor}.${patch}`);
    if (major !== "3" || Number(minor) < PYTHON_MINOR[0] || Number(minor) > PYTHON_MINOR[1]) continue;
    if (modules.length === 2) return { command };
    withoutVenv = withoutVenv ?? `${major}.${minor}`;
  }
  if (withoutVenv !== undefined) {
    return {
      message: missing(`Python's venv module (Python ${withoutVenv} is here without it)`, {
        linux: `sudo apt-get install python${withoutVenv}-venv`,
        darwin: "brew install python@3.12",
      }),
    };
  }
  const range = PYTHON_MINOR.map((minor) => `3.${minor}`).join(" to ");
  return {
    message: missing(`Python ${range} with venv (${seen.length > 0 ? seen.join(", ") : "no Python was found"})`, {
      linux: "sudo apt-get install python3 python3-venv",
      darwin: "brew install python@3.12",
    }),
  };
}

/** Two lines: what is missing, and the command that installs it. */
function missing(what, commands) {
  const command = commands.any ?? commands[process.platform];
  const where = process.platform === "linux" && commands.any === undefined ? " (Debian, Ubuntu)" : "";
  return `  ${what}\n    install it${where}: ${command ?? "see your system's manual"}`;
}

function works(command) {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;
}

function output(command, args) {
  const result = spawnSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return result.status === 0 ? result.stdout : "";
}
