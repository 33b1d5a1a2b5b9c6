/** Reads what the tools reported, and the lock files. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { reportFiles } from "./reports.mjs";

/** All that `judge` looks at. */
export function readFindings(root, reports) {
  const report = (name) => readFileSync(join(reports, reportFiles[name]), "utf8");
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const requirements = ["setup/requirements.txt", "setup/requirements-gpu.txt", "supply/requirements.txt"];
  return {
    vulnerabilities: {
      npm: npmVulnerabilities(parse(report("npmVulnerabilities"))),
      python: pythonVulnerabilities(parse(report("pythonVulnerabilities"))),
    },
    licenses: {
      npm: licensesOf(JSON.parse(report("npmMaterials")), "npm"),
      python: licensesOf(JSON.parse(report("pythonMaterials")), "python"),
    },
    scripts: packagesOf(lock).flatMap(([path, { hasInstallScript }]) =>
      hasInstallScript ? [{ name: nameOf(path) }] : [],
    ),
    unpinned: [
      ...packagesOf(lock).flatMap(([path, entry]) => (isPinned(path, entry) ? [] : [nameOf(path)])),
      ...requirements.flatMap((file) => unpinnedRequirements(readFileSync(join(root, file), "utf8"))),
    ],
  };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @returns a list, or why there is none */
function npmVulnerabilities(report) {
  if (report?.vulnerabilities === undefined) {
    return `npm audit gave no answer${report?.message === undefined ? "" : ` (${withoutAddress(report.message)})`}`;
  }
  const found = new Map();
  for (const { via } of Object.values(report.vulnerabilities)) {
    // A text is the name of another package of the list.
    for (const cause of via.filter((one) => typeof one === "object")) {
      const id = cause.url.split("/").at(-1);
      found.set(`${id} ${cause.name}`, { system: "npm", id, name: cause.name });
    }
  }
  return [...found.values()];
}

/** @returns a list, or why there is none: a package that was not found was not looked up, whatever the exit code */
function pythonVulnerabilities(report) {
  if (report?.dependencies === undefined) return "pip-audit gave no answer";
  const skipped = report.dependencies.filter((one) => one.skip_reason !== undefined);
  if (skipped.length > 0) {
    return `pip-audit could not look up ${skipped.length} of ${report.dependencies.length} packages (${skipped[0].skip_reason})`;
  }
  return report.dependencies.flatMap(({ name, vulns }) => vulns.map(({ id }) => ({ system: "python", id, name })));
}

/** Where a registry is, is of no interest to others. */
function withoutAddress(message) {
  return message.replace(/ - \w+ https?:\S+/g, "");
}

function licensesOf({ components }, system) {
  return components.flatMap((component) => [
    {
      system,
      name: [component.group, component.name].filter(Boolean).join("/"),
      version: component.version,
      licenses: [...new Set((component.licenses ?? []).map(textOf))],
    },
    ...licensesOf({ components: component.components ?? [] }, system),
  ]);
}

/** An SPDX expression or id, or what stands in its place; a license given as a whole text by its first line. */
function textOf({ expression, license }) {
  return (expression ?? license.id ?? license.name).trim().split("\n")[0];
}

function packagesOf(lock) {
  return Object.entries(lock.packages).filter(([path]) => path !== "");
}

function nameOf(path) {
  return path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}

/** Links and folders of the project have no archive to make a hash of. */
function isPinned(path, { integrity, link }) {
  return integrity !== undefined || link === true || path.endsWith("setup/tfjs-node-shim");
}

function unpinnedRequirements(text) {
  const entries = text.replace(/\\\n/g, " ").split("\n");
  return entries
    .filter((line) => /^[\w.-]+/.test(line) && !line.includes("--hash=sha256:"))
    .map((line) => line.split(/[ =]/)[0]);
}
