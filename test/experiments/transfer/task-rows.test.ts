import { describe, expect, it } from "vitest";
import { taskDifferenceRows, taskFindings, taskRows } from "../../../src/experiments/transfer/task-rows";
import { shareOfGap, standingOfTask, transferTasks } from "../../../src/experiments/transfer/task-differences";

const taskNamed = (name: string) => transferTasks().find((task) => task.name === name)!;

describe("the tasks of the paper", () => {
  it("are nine: the seven of its footnote, one on par and one behind", () => {
    const names = (saidToBe: string) =>
      transferTasks()
        .filter((task) => task.saidToBe === saidToBe)
        .map(({ name }) => name);
    expect(names("ahead")).toEqual([
      "VOC detection",
      "COCO detection",
      "COCO instance segmentation",
      "LVIS v0.5 instance segmentation",
      "COCO keypoints",
      "COCO dense pose",
      "Cityscapes semantic segmentation",
    ]);
    expect([names("level"), names("behind")]).toEqual([
      ["Cityscapes instance segmentation"],
      ["VOC semantic segmentation"],
    ]);
  });

  it("have each printed difference to supervised pre-training, without the noise of binary fractions", () => {
    const [first] = taskNamed("COCO detection").differences;
    expect(first).toEqual({
      setting: "R50-FPN, 1x",
      measure: "AP, boxes",
      gap: 7.9,
      imageNet: -0.4,
      instagram: 0,
    });
    expect(taskNamed("COCO instance segmentation").differences[0]).toMatchObject({ gap: 6.9, imageNet: -0.3 });
    expect(transferTasks().map(({ differences }) => differences.length)).toEqual([6, 12, 12, 3, 3, 3, 1, 2, 1]);
  });

  it("are ahead or behind by all their metrics, or mixed", () => {
    const standings = transferTasks().map((task) => [
      standingOfTask(task, "imageNet"),
      standingOfTask(task, "instagram"),
    ]);
    expect(standings).toEqual([
      ["mixed", "ahead"],
      ["mixed", "mixed"],
      ["mixed", "mixed"],
      ["behind", "ahead"],
      ["ahead", "ahead"],
      ["ahead", "ahead"],
      ["ahead", "ahead"],
      ["behind", "ahead"],
      ["behind", "behind"],
    ]);
  });

  it("have the share of the gap that MoCo closes, and none where there is no gap", () => {
    expect(shareOfGap(taskNamed("VOC semantic segmentation").differences[0]!, "imageNet")).toBeCloseTo(33 / 34.9, 12);
    expect(shareOfGap(taskNamed("COCO keypoints").differences[0]!, "imageNet")).toBeUndefined();
  });
});

describe("their tables", () => {
  it("have a row a task, and a row a setting by AP or mean IoU", () => {
    expect(taskRows()[7]).toEqual({
      task: "Cityscapes instance segmentation",
      in: "Table 6",
      "in the paper's words": "on par",
      "ImageNet-1M, AP or mean IoU": "−0.6",
      "ImageNet-1M, all figures": "behind in 2",
      "Instagram-1B, AP or mean IoU": "0.0",
      "Instagram-1B, all figures": "ahead in 1, level in 1",
    });
    expect(taskDifferenceRows()).toHaveLength(2 + 4 + 4 + 6);
    expect(taskDifferenceRows()[2]).toMatchObject({
      "MoCo, ImageNet-1M − supervised": "−0.4, behind",
      "of the gap, ImageNet-1M": "94 %",
    });
  });

  it("judge the claims by the numbers: not ahead in all seven, and no gap closed whole in every task", () => {
    const [s4, s10] = taskFindings();
    expect(s4).toContain("does not hold of every figure");
    expect(s4).toContain("behind in 1 (LVIS v0.5 instance segmentation)");
    expect(s4).toContain("VOC semantic segmentation, −1.9");
    expect(s10).toContain("at least 84 % (LVIS v0.5 instance segmentation)");
    expect(s10).toContain("Not closed in every task");
  });
});
