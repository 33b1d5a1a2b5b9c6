/** Asks the tools: bills of materials by CycloneDX, known vulnerabilities by npm and pip-audit. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The tools cannot be installed or do not start. The message is for people. */
export class ToolError extends Error {}

/** Names of the reports in their folder. */
export const reportFiles = {
  npmMaterials: "npm.cdx.json",
  pythonMaterials: "python.cdx.json",
  npmVulnerabilities: "npm-audit.json",
  pythonVulnerabilities: "pip-audit.json",
};

/**
 * Writes all reports into a folder.
 *
 * @param root - of the project
 * @param options - `vulnerabilities` false: the bills of materials alone
 * @throws ToolError if a tool cannot be installed, or writes no bill of materials
 */
export function writeReports(root, folder, { vulnerabilities = true } = {}) {
  if (!existsSync(join(root, ".venv/bin/python"))) {
    throw new ToolError("the Python packages are not installed. Run: npm run setup");
  }
  const tools = installedTools(root);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const place = (name) => join(folder, reportFiles[name]);

  const npmTool = join(tools, "node_modules/@cyclonedx/cyclonedx-npm/bin/cyclonedx-npm-cli.js");
  run(root, process.execPath, [npmTool, "--output-reproducible", "--output-file", place("npmMaterials")]);
  const pythonTool = join(tools, "venv/bin/cyclonedx-py");
  run(root, pythonTool, ["environment", "--output-reproducible", "-o", place("pythonMaterials"), ".venv/bin/python"]);
  if (!vulnerabilities) return;

  // Both end with another code than 0 where they find something; the report says what.
  const npm = spawnSync("npm", ["audit", "--json"], { cwd: root, encoding: "utf8" });
  writeFileSync(place("npmVulnerabilities"), npm.stdout);
  const locked = ["--no-deps", "--disable-pip", "--require-hashes", "-r", "setup/requirements.txt"];
  const python = spawnSync(
    join(tools, "venv/bin/pip-audit"),
    [...locked, "--format", "json", "--progress-spinner", "off"],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  writeFileSync(place("pythonVulnerabilities"), python.stdout);
}

/** Installs the tools by their own lock files, outside of what the kit installs; kept until a lock file changes. */
function installedTools(root) {
  const folder = join(root, "build/supply");
  const stamp = join(folder, "stamp");
  const wanted = ["package.json", "package-lock.json", "requirements.txt"]
    .map((name) => readFileSync(join(root, "supply", name), "utf8"))
    .join("\n");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return folder;
  console.log("audit: installing its tools (about 30 s) ...");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) cpSync(join(root, "supply", name), join(folder, name));
  run(folder, "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
  run(root, join(root, ".venv/bin/python"), ["-m", "venv", join(folder, "venv")]);
  const options = ["--require-hashes", "--no-input", "--disable-pip-version-check", "--quiet"];
  run(root, join(folder, "venv/bin/python"), ["-m", "pip", "install", ...options, "-r", "supply/requirements.txt"]);
  writeFileSync(stamp, wanted);
  return folder;
}

function run(cwd, command, args) {
  const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status === 0) return;
  const reason = error?.message ?? stderr.trimEnd().split("\n").slice(-10).join("\n");
  throw new ToolError(`this command failed (${status}): ${[command, ...args].join(" ")}\n${reason}`);
}
