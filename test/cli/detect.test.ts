import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { detectCommand } from "../../src/cli/detect";
import { detectionPreset } from "../../src/recipes/detection-presets";
import type { DetectionRecipe } from "../../src/detection/detection-recipe";
import { detectorCheckpointFile } from "../../src/detection/train/detector-checkpoint";
import {
  detectorRunFile,
  predictionsFile,
  readDetectorRun,
  readPredictions,
  type DetectorRun,
} from "../../src/runs/run-detector";
import { composeScenes } from "../../src/detection/data/scenes";
import { InputError } from "../../src/errors";
import { randomStream } from "../../src/engine/random";
import { createEncoder, disposeEncoder, type EncoderConfig } from "../../src/nn/encoder";
import { encodeSafetensors } from "../../src/weights/safetensors";
import { toStateDict } from "../../src/weights/state-dict";
import { tinySet } from "../detection/tiny-detection";
import { detectorDirectory } from "../../src/runs/detector-directory";
import { detectorInitialization } from "../../src/runs/detector-initialization";
import { runDirectory } from "../../src/runs/run-cell";
import { defaultMethod, methodRecipe } from "../../src/recipes/method-recipes";
import { presetNamed } from "../../src/recipes/presets";
import { saveCheckpoint } from "../../src/train/checkpoint";
import { manifestFile } from "../../src/train/manifest";
import { checkpointFile } from "../../src/train/pretrain";
import { disposeTraining, startTraining } from "../../src/train/state";

let root: string;
beforeAll(() => void (root = mkdtempSync(join(tmpdir(), "moco-detect-"))));
afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

/** What the command prints to stdout. */
async function detect(...words: readonly string[]): Promise<string> {
  const printed: string[] = [];
  vi.spyOn(console, "log").mockImplementation((text: string) => void printed.push(text));
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, "write").mockReturnValue(true);
  await detectCommand().exitOverride().parseAsync(words, { from: "user" });
  vi.restoreAllMocks();
  return printed.join("\n");
}

const smoke = detectionPreset("smoke");

/** A file of weights of an encoder with the smoke preset's backbone, or another. */
function weightsFile(name: string, changes: Partial<EncoderConfig> = {}): string {
  const encoder = createEncoder(
    { ...smoke.detector.backbone, head: "linear", dimension: 4, ...changes },
    randomStream(7),
  );
  const tensors = new Map([...toStateDict(encoder.parameters, ""), ...toStateDict(encoder.running, "")]);
  disposeEncoder(encoder);
  const path = join(root, name);
  writeFileSync(path, encodeSafetensors({ tensors, metadata: {} }));
  return path;
}

describe("moco detect", () => {
  it("trains and evaluates, writes manifest and predictions, and does nothing the second time", async () => {
    const output = join(root, "run");
    const words = ["--preset", "smoke", "--output", output, "--validations", "1", "--json"];
    const first = JSON.parse(await detect(...words)) as Record<string, unknown>;
    const run = readDetectorRun(join(output, detectorRunFile))!;
    expect(first).toEqual({ files: [join(output, detectorRunFile), join(output, predictionsFile)], ...run });
    expect(run.manifest).toMatchObject({
      seed: 1,
      steps: 6,
      initialization: { name: "random", checksum: null },
      data: { train: { images: 8 }, test: { images: 4 } },
    });
    expect(run.manifest.recipe).toEqual(smoke);
    expect(run.curve.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(run.validations.map(({ step }) => step)).toEqual([6]);
    expect(run.metrics.categories).toHaveLength(9);
    const test = await composeScenes({ part: "test", size: 48, count: 4 });
    const predictions = readPredictions(output, test);
    expect(predictions.length).toBeGreaterThan(0);
    expect(JSON.parse(readFileSync(join(output, predictionsFile), "utf8"))).toHaveLength(predictions.length);

    const before = readFileSync(join(output, detectorCheckpointFile));
    expect(JSON.parse(await detect(...words))).toEqual(first);
    expect(readFileSync(join(output, detectorCheckpointFile))).toEqual(before);
  });

  it("evaluates again where run.json or the detections are damaged, to the same numbers", async () => {
    const output = join(root, "run");
    const words = ["--preset", "smoke", "--output", output, "--validations", "1", "--json"];
    const whole = JSON.parse(await detect(...words)) as DetectorRun;
    for (const file of [detectorRunFile, predictionsFile]) {
      const changed = readFileSync(join(output, file), "utf8").replace(/[1-8](?=\D)/, "9");
      for (const content of ["{oops", changed]) {
        writeFileSync(join(output, file), content);
        const warnings: string[] = [];
        vi.spyOn(console, "warn").mockImplementation((text: string) => void warnings.push(text));
        expect((JSON.parse(await detect(...words)) as DetectorRun).metrics).toEqual(whole.metrics);
        expect(warnings).toEqual([expect.stringMatching(`^Cannot read .*${file}: .* Made again now; `)]);
      }
    }
  });

  it("starts from a file of weights, and anew with --fresh", async () => {
    const output = join(root, "from-weights");
    const words = ["--preset", "smoke", "--output", output, "--json", "--set", "schedule.iterations=1"];
    const init = ["--init", weightsFile("moco.safetensors")];
    type Outcome = { manifest: { initialization: { name: string; checksum: string }; recipe: DetectionRecipe } };
    const { manifest } = JSON.parse(await detect(...words, ...init)) as Outcome;
    expect(manifest.initialization.name).toBe("moco.safetensors");
    expect(manifest.initialization.checksum).toMatch(/^\w{64}$/);
    expect(manifest.recipe.source).toMatch(/set on the command line: schedule.iterations = 1$/);
    rmSync(join(output, detectorRunFile));
    await expect(detect(...words)).rejects.toThrow(
      /trained by recipe \w+ from moco\.safetensors .* asked for is .* from random/,
    );
    const anew = JSON.parse(await detect(...words, "--fresh")) as Outcome;
    expect(anew.manifest.initialization.name).toBe("random");
  });

  it("trains the preset's detector, or dilated C5 by --arch", async () => {
    const words = ["--preset", "smoke", "--output", join(root, "dilated"), "--json", "--set", "schedule.iterations=1"];
    const { manifest } = JSON.parse(await detect(...words, "--arch", "dc5")) as {
      manifest: { recipe: DetectionRecipe };
    };
    expect(manifest.recipe.name).toBe("smoke-dc5");
    expect(manifest.recipe.detector).toEqual({ ...smoke.detector, arch: "dc5" });
  });

  it("predicts masks by --masks, and writes them with the predictions", async () => {
    const output = join(root, "masks");
    const words = ["--preset", "smoke", "--output", output, "--json", "--masks"];
    type Outcome = {
      manifest: { recipe: DetectionRecipe };
      curve: Record<string, number>[];
      metrics: { masks: object };
    };
    const { manifest, curve, metrics } = JSON.parse(await detect(...words)) as Outcome;
    expect(manifest.recipe.name).toBe("smoke-masks");
    expect(manifest.recipe.detector).toEqual({ ...smoke.detector, masks: true });
    expect(curve.every((point) => point["mask"]! > 0)).toBe(true);
    expect(metrics.masks).toMatchObject({ ap: expect.any(Number) as number, ap50: expect.any(Number) as number });
    const test = await composeScenes({ part: "test", size: 48, count: 4 });
    const predictions = readPredictions(output, test);
    expect(predictions.length).toBeGreaterThan(0);
    for (const { mask } of predictions) expect(mask?.size).toEqual([48, 48]);
  });

  it("says before training what it takes, and trains nothing, by --dry-run", async () => {
    const output = join(root, "planned");
    const planned = await detect("--preset", "smoke", "--output", output, "--dry-run", "--json");
    const { missing, steps, memory, disk } = JSON.parse(planned) as {
      readonly missing: readonly string[];
      readonly steps: number;
      readonly memory: { readonly needed: number; readonly there: number };
      readonly disk: { readonly needed: number; readonly there: number };
    };
    expect(missing).toEqual([]);
    expect(steps).toBe(smoke.schedule.iterations);
    // A process with TensorFlow has more than this, and the smallest detector fits into any machine.
    expect(memory.needed).toBeGreaterThan(1e8);
    expect(memory.needed).toBeLessThan(memory.there);
    expect(disk.needed).toBeGreaterThan(0);
    expect(existsSync(output)).toBe(false);
  });

  it("refuses what is wrong before it trains", async () => {
    const output = join(root, "refused");
    const refused = async (message: RegExp, ...words: readonly string[]) => {
      const outcome: unknown = await detect("--preset", "smoke", "--output", output, ...words).catch(
        (error: unknown) => error,
      );
      expect(outcome).toBeInstanceOf(InputError);
      expect((outcome as InputError).message).toMatch(message);
    };
    await refused(/give its folder by --root, there is none/, "--dataset", "coco");
    await refused(/which is no folder/, "--dataset", "voc", "--root", join(root, "nowhere"));
    await refused(
      /give --init random, supervised, or a file of weights, current value is "imagenet"/,
      "--init",
      "imagenet",
    );
    await refused(/batchSize: /, "--set", "batchSize=0");
    await refused(/detector.masks: must be left out .* no mask head/, "--masks", "--arch", "dc5");
    await refused(/its width must be 8, current value is 4/, "--init", weightsFile("narrow.safetensors", { width: 4 }));
    const broken = join(root, "broken.safetensors");
    writeFileSync(broken, "nothing of use");
    await refused(/Cannot read .*broken/, "--init", broken);
    expect(existsSync(join(output, detectorCheckpointFile))).toBe(false);
    await expect(detect("--preset", "slow")).rejects.toThrow(/choose one of smoke, .*quick/);
  });
});

describe("detectorInitialization", () => {
  const preset = presetNamed("smoke");
  const supervised = methodRecipe(preset, defaultMethod(preset, "supervised"));
  const command = /moco pretrain --method supervised --preset smoke --seed 3/;

  it("finds the kit's supervised training of the same seed when it is done, and says else how to make it", () => {
    const directory = runDirectory(supervised, { checksum: "0123abcd" }, 3, root);
    expect(() => detectorInitialization("supervised", smoke, 3, root)).toThrow(command);
    const state = startTraining(supervised, { seed: 3, data: { checksum: "few", images: 100, classes: 9 } });
    mkdirSync(directory, { recursive: true });
    saveCheckpoint(join(directory, checkpointFile), state, supervised);
    expect(() => detectorInitialization("supervised", smoke, 3, root)).toThrow(command);
    writeFileSync(join(directory, manifestFile), "{}");
    const { name, checksum, createEncoder } = detectorInitialization("supervised", smoke, 3, root);
    expect([name, checksum]).toEqual(["supervised", expect.stringMatching(/^\w{64}$/)]);
    const encoder = createEncoder();
    expect(encoder.parameters.tensor("conv1.weight").dataSync()).toEqual(
      state.method.encoder.parameters.tensor("conv1.weight").dataSync(),
    );
    disposeEncoder(encoder);
    disposeTraining(state);
    // The folder of a run serves as its checkpoint.
    expect(detectorInitialization(directory, smoke, 3).checksum).toBe(checksum);
  });

  it("has no supervised training of the kit for the paper's backbone", () => {
    const paper = detectionPreset("pascal_voc_R_50_C4_24k");
    expect(() => detectorInitialization("supervised", paper, 1, root)).toThrow(/as --init FILE/);
  });

  it("gives each recipe, initialization, training part and seed a folder of its own", () => {
    const data = { train: tinySet() };
    const random = { initialization: detectorInitialization("random", smoke, 1), data };
    const moco = { initialization: { checksum: "0123456789abcdef" }, data };
    const other = { ...data.train, images: data.train.images.slice(1) };
    const folders = [
      detectorDirectory(smoke, random, 1, root),
      detectorDirectory(smoke, random, 2, root),
      detectorDirectory(smoke, moco, 1, root),
      detectorDirectory({ ...smoke, batchSize: 3 }, random, 1, root),
      detectorDirectory(smoke, { ...random, data: { train: other } }, 1, root),
    ];
    expect(new Set(folders).size).toBe(5);
    expect(folders[2]).toMatch(/detect-smoke-\w{12}-from-01234567-on-\w{8}-seed1$/);
  });
});
