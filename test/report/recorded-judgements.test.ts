import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { recordedJudgements, recordedPresets } from "../../src/report/recorded-judgements";
import { resultsFolder } from "../../src/runs/run-name";

const all = recordedJudgements();

it("has every claim once for each preset that has runs for it, and once where none has", () => {
  const presets = recordedPresets();
  expect(presets.map(({ name }) => name)).toEqual(["quick", "small"]);
  const apart = presets.map((preset) => recordedJudgements([preset]));
  const expected = apart[0]!.flatMap(({ claim: { id } }) => {
    const measured = apart.flatMap((ofPreset) =>
      ofPreset.flatMap(({ claim, preset }) => (claim.id === id && preset !== undefined ? [`${id} ${preset}`] : [])),
    );
    return measured.length === 0 ? [`${id} –`] : measured;
  });
  const names = all.map(({ claim, preset }) => `${claim.id} ${preset ?? "–"}`);
  expect(names).toEqual(expected);
  expect(names).toEqual(expect.arrayContaining(["S6 small", "slow-keys quick", "slow-keys small", "S9 –"]));
});

it("names the files of the runs behind each verdict, of its preset alone", () => {
  for (const judged of all) {
    expect(judged.runs.length > 0).toBe("evidence" in judged);
    for (const file of judged.runs) expect(existsSync(join(resultsFolder, file))).toBe(true);
  }
  const small = all.filter(({ preset }) => preset === "small");
  expect(new Set(small.flatMap(({ runs }) => runs.map((file) => file.split("/")[0])))).toEqual(new Set(["small"]));
});
