import { expect, it } from "vitest";
import { recordedJudgements, recordedPresets } from "../../src/report/recorded-report";
import { blockContents } from "../../src/report/result-blocks";

it("has every claim of REPRODUCE.md once for each preset whose runs say something of it, and once where none do", async () => {
  const block = (await blockContents(["claims"])).get("claims")!;
  const lines = block
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(2)
    .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").trim()))
    .map(([preset, claim]) => `${claim} ${preset}`);

  const presets = recordedPresets();
  expect(presets.map(({ name }) => name)).toEqual(["quick", "small"]);
  const judged = presets.map((preset) => ({ preset, judgements: recordedJudgements(preset) }));
  const expected = judged[0]!.judgements.flatMap(({ claim }) => {
    const measured = judged.filter(({ judgements }) =>
      judgements.some((one) => one.claim.id === claim.id && "evidence" in one),
    );
    return measured.length === 0 ? [`${claim.id} –`] : measured.map(({ preset }) => `${claim.id} ${preset.name}`);
  });
  expect(lines).toEqual(expected);
  expect(lines).toEqual(expect.arrayContaining(["S6 small", "slow-keys quick", "slow-keys small", "S9 –"]));
});
