#!/usr/bin/env node
/** `npm run audit` and `npm run sbom`: what the kit is made of, and whether that is in order. docs/supply.md describes it. */
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readFindings } from "./findings.mjs";
import { judge } from "./judge.mjs";
import { ToolError, writeReports } from "./reports.mjs";

const USAGE = `Usage: npm run audit -- [--reports FOLDER] [--accepted FILE]
       npm run sbom
  --reports FOLDER  judge the reports of an earlier audit, without asking anybody
  --accepted FILE   what is accepted (default: supply/accepted.json)
Exit code 0: all is in order. 1: something is not. 2: a wrong flag, or a tool that fails.
3: nothing was found, but something could not be looked at.`;

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

function main(args) {
  const flags = { "--accepted": join(root, "supply/accepted.json"), "--reports": undefined };
  let materialsOnly = false;
  while (args.length > 0) {
    const flag = args.shift();
    if (flag === "--help") {
      console.log(USAGE);
      return 0;
    } else if (flag === "--sbom") materialsOnly = true;
    else if (flag in flags && args.length > 0) flags[flag] = resolve(args.shift());
    else throw new ToolError(`unknown option, or one without its value: ${flag}\n${USAGE}`);
  }
  const reports = flags["--reports"] ?? join(root, "build/supply-reports");
  if (flags["--reports"] === undefined) writeReports(root, reports, { vulnerabilities: !materialsOnly });
  if (materialsOnly) {
    console.log(`The bills of materials, in CycloneDX: ${reports}`);
    return 0;
  }
  const accepted = JSON.parse(readFileSync(flags["--accepted"], "utf8"));
  const today = new Date().toISOString().slice(0, 10);
  const { problems, unchecked, checked } = judge(readFindings(root, reports), accepted, today);
  for (const line of checked) console.log(`audit: looked at ${line}`);
  for (const line of unchecked) console.log(`audit: NOT LOOKED AT: ${line}`);
  for (const line of problems) console.log(`audit: ${line}`);
  if (problems.length > 0) {
    console.log(
      `audit: ${problems.length} not in order (exit code 1). What is accepted stands in supply/accepted.json, with reasons.`,
    );
    return 1;
  }
  if (unchecked.length > 0) {
    console.log("audit: nothing was found, but not all was looked at (exit code 3)");
    return 3;
  }
  console.log("audit: all is in order");
  return 0;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ToolError) && typeof error.code !== "string" && !(error instanceof SyntaxError)) throw error;
  console.error(`audit: ${error.message}`);
  process.exitCode = 2;
}
