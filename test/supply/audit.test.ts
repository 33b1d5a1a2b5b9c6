import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = join(__dirname, "../..");

interface Entry {
  readonly system: string;
  readonly id?: string;
  readonly name: string;
  readonly reason: string;
  readonly until: string;
}

const material = (name: string, license?: string) => ({
  name,
  version: "1.0.0",
  ...(license !== undefined && { licenses: [{ license: { id: license } }] }),
});

const npmFinding = {
  vulnerabilities: {
    request: {
      via: [{ name: "request", url: "https://example.org/advisories/GHSA-1111" }],
    },
    // Only because of the other one.
    danfojs: { via: ["request"] },
  },
};
const pythonFinding = {
  dependencies: [
    { name: "bleach", version: "1", vulns: [{ id: "PYSEC-1" }] },
    { name: "six", version: "1", vulns: [] },
  ],
};
const later = "2999-01-01";
const acceptRequest: Entry = { system: "npm", id: "GHSA-1111", name: "request", reason: "a test", until: later };
const acceptBleach: Entry = { system: "python", id: "PYSEC-1", name: "bleach", reason: "a test", until: later };
const acceptOdd: Entry = { system: "python", name: "odd", reason: "a test", until: later };

describe("npm run audit", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "moco-kit-audit-"));
    write("npm.cdx.json", { components: [material("sharp", "Apache-2.0")] });
    write("python.cdx.json", { components: [material("numpy", "BSD-3-Clause"), material("odd")] });
    write("npm-audit.json", { vulnerabilities: {} });
    write("pip-audit.json", { dependencies: [] });
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function write(name: string, content: unknown): void {
    writeFileSync(join(folder, name), JSON.stringify(content));
  }

  /** Judges the reports of the folder. */
  function audit({
    vulnerabilities = [],
    withoutLicense = [acceptOdd],
    licenses = ["Apache-2.0", "BSD-3-Clause"],
    scripts = (JSON.parse(readFileSync(join(root, "supply/accepted.json"), "utf8")) as { scripts: { name: string }[] })
      .scripts,
  }: {
    readonly vulnerabilities?: readonly Entry[];
    readonly withoutLicense?: readonly Entry[];
    readonly licenses?: readonly string[];
    readonly scripts?: readonly { readonly name: string }[];
  } = {}): readonly [code: number | null, output: string] {
    write("accepted.json", { vulnerabilities, withoutLicense, licenses, scripts });
    const words = ["supply/audit.mjs", "--reports", folder, "--accepted", join(folder, "accepted.json")];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: root, encoding: "utf8" });
    return [status, stdout + stderr];
  }

  it("is in order where all that was found is accepted", () => {
    write("npm-audit.json", npmFinding);
    write("pip-audit.json", pythonFinding);
    const [code, output] = audit({ vulnerabilities: [acceptRequest, acceptBleach] });
    expect(output).toMatch(/known vulnerabilities of npm packages: 1 finding\n/);
    expect(output).toMatch(/all is in order/);
    expect(code).toBe(0);
  });

  it("fails by name for a vulnerability that is not accepted", () => {
    write("npm-audit.json", npmFinding);
    write("pip-audit.json", pythonFinding);
    const [code, output] = audit();
    expect(output).toMatch(/GHSA-1111 of request \(npm\): not accepted/);
    expect(output).toMatch(/PYSEC-1 of bleach \(python\): not accepted/);
    expect(code).toBe(1);
  });

  it("fails for an entry that has expired, and for one that nothing needs", () => {
    write("npm-audit.json", npmFinding);
    const [code, output] = audit({ vulnerabilities: [{ ...acceptRequest, until: "2020-01-01" }, acceptBleach] });
    expect(output).toMatch(/GHSA-1111 of request \(npm\): was accepted until 2020-01-01; look again/);
    expect(output).toMatch(/PYSEC-1 of bleach \(python\): accepted, but no longer so; delete the entry/);
    expect(code).toBe(1);
  });

  it("ends with 3, not 0, where a registry gave no answer, and says what was not looked at", () => {
    write("npm-audit.json", { message: "405 Method Not Allowed - POST https://example.org/bulk" });
    // pip-audit itself ends with 0 here.
    write("pip-audit.json", { dependencies: [{ name: "six", skip_reason: "Dependency not found on PyPI" }] });
    const [code, output] = audit();
    expect(output).toMatch(/NOT LOOKED AT: known vulnerabilities of npm packages: .*\(405 Method Not Allowed\)\n/);
    expect(output).toMatch(/NOT LOOKED AT: known vulnerabilities of python packages: .* 1 of 1 packages/);
    expect(code).toBe(3);
  });

  it("fails for licenses that nobody has read, and for packages that name none", () => {
    const [code, output] = audit({ licenses: ["Apache-2.0", "MIT"], withoutLicense: [] });
    expect(output).toMatch(/numpy@1.0.0 \(python\) has the license "BSD-3-Clause"/);
    expect(output).toMatch(/no package has the license "MIT"/);
    expect(output).toMatch(/odd \(python\) names no license: not accepted/);
    expect(code).toBe(1);
  });

  it("fails for a package that would run a script at installation and is not named", () => {
    const [code, output] = audit({ scripts: [{ name: "@tensorflow/tfjs-node-gpu" }, { name: "gone" }] });
    expect(output).toMatch(/zeromq would run a script at installation: not accepted/);
    expect(output).toMatch(/gone would run a script at installation: accepted, but no longer so/);
    expect(code).toBe(1);
  });

  it("refuses an unknown flag", () => {
    const { status, stderr } = spawnSync(process.execPath, ["supply/audit.mjs", "--all"], {
      cwd: root,
      encoding: "utf8",
    });
    expect(stderr).toMatch(/unknown option, or one without its value: --all/);
    expect(status).toBe(2);
  });
});

describe("what is accepted", () => {
  it("has a reason and a day for each entry", () => {
    const accepted = JSON.parse(readFileSync(join(root, "supply/accepted.json"), "utf8")) as Record<
      "vulnerabilities" | "withoutLicense" | "scripts",
      readonly Partial<Entry>[]
    >;
    for (const entry of [...accepted.vulnerabilities, ...accepted.withoutLicense]) {
      expect(entry.reason).toBeTruthy();
      expect(entry.until).toMatch(/^\d{4}-\d\d-\d\d$/);
    }
    for (const { reason } of accepted.scripts) expect(reason).toBeTruthy();
  });

  it("npm runs no script at installation, whoever calls it in this folder", () => {
    const { stdout } = spawnSync("npm", ["config", "get", "ignore-scripts"], { cwd: root, encoding: "utf8" });
    expect(stdout).toBe("true\n");
  });
});
