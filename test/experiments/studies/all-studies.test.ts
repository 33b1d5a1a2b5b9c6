import { beforeAll, describe, expect, it } from "vitest";
import type { ImageData } from "../../../src/data/image-set";
import { loadData } from "../../../src/data/load";
import { recordedStudies, studyAnswers } from "../../../src/experiments/studies/all-studies";
import { studyPlan } from "../../../src/experiments/studies/plan";
import { studySizes } from "../../../src/experiments/studies/sizes";
import { presetNamed } from "../../../src/recipes/presets";

const quick = presetNamed("quick");
let data: ImageData;
beforeAll(async () => {
  data = await loadData("emoji", { size: quick.base.imageSize });
});

describe("recordedStudies", () => {
  it("gives all five studies by what is recorded at preset quick, with all seeds where there are several", async () => {
    const studies = await recordedStudies(studyPlan(quick), data);
    expect(studyAnswers(studies).map(({ question }) => question!.split(":")[0])).toEqual([
      "D3",
      "D4",
      "D5",
      "Figure A.1",
      "Section 3.2",
    ]);
    for (const { finding } of studyAnswers(studies)) expect(finding!.length).toBeGreaterThan(50);
    for (const { ends } of studies.bound.curves) expect(ends).toHaveLength(5);
  });

  it("shows another seed alone where the first is not recorded for it", async () => {
    const plan = { ...studyPlan(quick), shuffling: [], staleness: [], momentumLength: [] };
    const [first, second] = await Promise.all([1, 2].map((seed) => recordedStudies(plan, data, seed)));
    expect(second!.bound.curves[0]!.ends).toHaveLength(5);
    expect(second!.bound.curves[0]!.points[0]).not.toEqual(first!.bound.curves[0]!.points[0]);
  });

  it("refuses axes and seeds that are not recorded, and says what to do", async () => {
    const sizes = { ...studySizes(quick), shuffling: { groups: [4], epochs: 4 } };
    await expect(recordedStudies(studyPlan(quick, sizes), data)).rejects.toThrow(
      "MoCo, 4 groups, shuffle on, seed 1, is not recorded at preset quick with these axes. Train it (anew = true",
    );
    await expect(recordedStudies(studyPlan(quick), data, 99)).rejects.toThrow("seed 99");
  });
});
