/** Sets what was found against what is accepted. */

/**
 * Judges the reports and the lock files.
 *
 * A finding that no entry accepts is a problem; so is an entry that has expired, or that nothing needs any more.
 *
 * @param found - `vulnerabilities` and `licenses`, each by "npm" and "python": a list, or the reason why there is none;
 *   `scripts`, the packages with an installation script; `unpinned`, what a lock file has no hash of
 * @param accepted - what accepted.json holds
 * @param today - "2026-11-26"
 * @returns `problems`, what is wrong; `unchecked`, what could not be looked at; `checked`, what was, each in a line
 */
export function judge({ vulnerabilities, licenses, scripts, unpinned }, accepted, today) {
  const problems = unpinned.map((name) => `${name} has no hash in its lock file`);
  const unchecked = [];
  const checked = [];
  for (const system of ["npm", "python"]) {
    const entries = accepted.vulnerabilities.filter((entry) => entry.system === system);
    problems.push(...expired(entries, today, nameOfVulnerability));
    const list = vulnerabilities[system];
    if (typeof list === "string") {
      unchecked.push(`known vulnerabilities of ${system} packages: ${list}`);
    } else {
      problems.push(...compare(list, entries, nameOfVulnerability));
      checked.push(`known vulnerabilities of ${system} packages: ${count(list.length, "finding")}`);
    }
  }
  for (const system of ["npm", "python"]) {
    const list = licenses[system];
    const entries = accepted.withoutLicense.filter((entry) => entry.system === system);
    problems.push(...expired(entries, today, nameOfPackage));
    const unnamed = list.filter((one) => one.licenses.length === 0);
    problems.push(...compare(unnamed, entries, (one) => `${nameOfPackage(one)} names no license`));
    for (const { name, version, licenses: texts } of list) {
      for (const text of texts) {
        if (!accepted.licenses.includes(text))
          problems.push(`${name}@${version} (${system}) has the license "${text}"`);
      }
    }
    checked.push(`licenses of ${count(list.length, `${system} package`)}`);
  }
  const used = new Set(Object.values(licenses).flatMap((list) => list.flatMap((one) => one.licenses)));
  problems.push(
    ...accepted.licenses.filter((text) => !used.has(text)).map((text) => `no package has the license "${text}"`),
  );
  problems.push(...compare(scripts, accepted.scripts, (one) => `${one.name} would run a script at installation`));
  checked.push(`installation scripts: none is run, ${count(scripts.length, "package")} would have one`);
  return { problems, unchecked, checked };
}

function compare(found, entries, describe) {
  const keys = new Set(entries.map(keyOf));
  const there = new Set(found.map(keyOf));
  return [
    ...found.filter((one) => !keys.has(keyOf(one))).map((one) => `${describe(one)}: not accepted`),
    ...entries
      .filter((one) => !there.has(keyOf(one)))
      .map((one) => `${describe(one)}: accepted, but no longer so; delete the entry`),
  ];
}

function expired(entries, today, describe) {
  return entries
    .filter(({ until }) => until < today)
    .map((entry) => `${describe(entry)}: was accepted until ${entry.until}; look again`);
}

function keyOf({ system, id, name }) {
  return [system, id, name].join(" ");
}

function nameOfVulnerability({ system, id, name }) {
  return `${id} of ${name} (${system})`;
}

function nameOfPackage({ system, name }) {
  return `${name} (${system})`;
}

function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
