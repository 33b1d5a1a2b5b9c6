import { expect, it } from "vitest";
import { recordedJudgements } from "../../src/report/recorded-judgements";
import { blockContents } from "../../src/report/result-blocks";

it("has in REPRODUCE.md the claims of all presets, with the preset of each line", async () => {
  const block = (await blockContents(["claims"])).get("claims")!;
  const lines = block
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(2)
    .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").trim()))
    .map(([claim, preset]) => `${claim} ${preset}`);
  expect(lines).toEqual(recordedJudgements().map(({ claim, preset }) => `${claim.id} ${preset ?? "–"}`));
});
