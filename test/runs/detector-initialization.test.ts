import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { detectionPreset } from "../../src/recipes/detection-presets";
import { detectorInitialization } from "../../src/runs/detector-initialization";

const root = mkdtempSync(join(tmpdir(), "moco-initialization-"));
afterAll(() => rmSync(root, { recursive: true }));

describe("--init FILE", () => {
  it("tells an unpacked archive of PyTorch and a folder without a checkpoint apart", () => {
    const initialize = () => detectorInitialization(join(root, "given"), detectionPreset("quick"), 2, root);
    mkdirSync(join(root, "given", "archive"), { recursive: true });
    expect(initialize).toThrow("a folder without checkpoint.safetensors");
    writeFileSync(join(root, "given", "archive", "data.pkl"), "");
    expect(initialize).toThrow(/given is an unpacked archive of PyTorch/);
  });
});

describe("--init supervised", () => {
  const initialize = (preset: string) => () => detectorInitialization("supervised", detectionPreset(preset), 2, root);

  it("asks for the kit's own supervised training where there is none", () => {
    expect(initialize("quick")).toThrow(
      /no finished supervised training quick-supervised with seed 2 in .* Make it by: moco pretrain --method supervised --preset quick --seed 2/,
    );
  });

  it.each(["quick-fpn", "bccd"])("asks for one with the detector's stem: %s", (preset) => {
    expect(initialize(preset)).toThrow(
      /--preset quick --seed 2 --set encoder.stem=imagenet --set imageSize=64 --set name=quick-supervised-imagenet-stem$/,
    );
  });

  it("says that no preset of the kit has the paper's backbone", () => {
    expect(initialize("coco_R_50_FPN_1x")).toThrow("no preset of the kit has this backbone");
  });
});
