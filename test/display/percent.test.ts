import { describe, expect, it } from "vitest";
import { percent, percentValue } from "../../src/display/percent";

describe("a share in percent", () => {
  it("has one decimal unless told otherwise, and a dash where there is none", () => {
    expect([percent(0.1234), percent(0.1234, 2), percent(undefined), percent(null)]).toEqual([
      "12.3 %",
      "12.34 %",
      "–",
      "–",
    ]);
  });

  it("can leave its unit to the title of a column", () => {
    expect([percentValue(0.5), percentValue(null)]).toEqual(["50.0", "–"]);
  });
});
