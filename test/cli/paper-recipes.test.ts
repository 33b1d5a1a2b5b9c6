import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../../src/engine/random";
import { moco } from "./moco";

/*
 * The paper's recipes as an owner of ImageNet and a GPU runs them, from the page of REPRODUCE.md, on a folder of small photographs and
 * with a narrow network: what is set is on each command line.
 */
const root = mkdtempSync(join(tmpdir(), "moco-paper-"));
const data = join(root, "imagenet");
afterAll(() => rmSync(root, { recursive: true }));

beforeAll(async () => {
  const random = randomStream(0, "photographs");
  for (const [part, count] of [
    ["train", 12],
    ["val", 4],
  ] as const) {
    for (const name of ["dark", "light"]) {
      mkdirSync(join(data, part, name), { recursive: true });
      for (let image = 0; image < count; image++) {
        const pixels = Uint8Array.from(
          { length: 40 * 28 * 3 },
          () => random.integer(128) + (name === "light" ? 128 : 0),
        );
        await sharp(pixels, { raw: { width: 40, height: 28, channels: 3 } })
          .jpeg()
          .toFile(join(data, part, name, `${image}.jpg`));
      }
    }
  }
});

const set = (...fields: readonly string[]): string[] => fields.flatMap((field) => ["--set", field]);
const smallOn = (folder: string): readonly string[] => [
  "pretrain",
  ...["--preset", "moco-v1-imagenet", "--data", `folder:${folder}`],
  ...set("imageSize=16", "encoder.width=4", "batchSize=8", "bnGroups=2", "method.queueSize=16", "method.chunkSize=4"),
  ...set("epochs=2", 'schedule={"kind":"step","milestones":[1],"factor":0.1}'),
];
const small = smallOn(data);

async function json<T>(...words: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await moco(...words, "--json");
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

interface Trained {
  readonly checkpoint: string;
  readonly manifest: { readonly encoder: string; readonly steps: number };
}

describe("moco pretrain with a recipe of the paper", () => {
  it("explains each value by its source, and what was set by the command line", async () => {
    const { values } = await json<{
      readonly values: readonly { readonly field: string; readonly value: unknown; readonly source: string }[];
    }>("pretrain", "--preset", "moco-v1-imagenet", ...set("batchSize=128"), "--explain");
    const ofField = (name: string) => values.find(({ field }) => field === name)!;
    expect(ofField("method.queueSize")).toMatchObject({
      value: 65536,
      source: expect.stringMatching(/section 4\.1/) as string,
    });
    expect(ofField("batchSize")).toMatchObject({ value: 128, source: "set on the command line" });
    expect(values.filter(({ source }) => source.includes("command line"))).toHaveLength(1);
    expect(values.filter(({ source }) => source.trim() === "")).toEqual([]);
  });

  /** What `--dry-run` says, with its exit code. */
  async function plan(...words: readonly string[]): Promise<{ readonly code: number | null } & Plan> {
    const { code, stdout, stderr } = await moco(...words, "--dry-run", "--json");
    expect(stdout, stderr).not.toBe("");
    return { code, ...(JSON.parse(stdout) as Plan) };
  }

  interface Plan {
    readonly data: string;
    readonly steps?: number;
    readonly secondsAStep?: number;
    readonly memory?: object;
    readonly disk?: object;
    readonly missing: readonly string[];
  }

  const amounts = { needed: expect.any(Number) as number, there: expect.any(Number) as number };

  it("says before training what it takes, and how many of ImageNet's images the folder lacks", async () => {
    const ofData = await plan(...small);
    expect(ofData).toMatchObject({ code: 1, steps: 6, memory: amounts, disk: amounts });
    expect(ofData.secondsAStep).toBeGreaterThan(0);
    expect(ofData.missing).toEqual(["images: 1,281,143 of 1,281,167"]);
  });

  it("says of a set of another name that it is not the paper's, and misses nothing", async () => {
    const photographs = join(root, "photographs");
    symlinkSync(data, photographs);
    expect(await plan(...smallOn(photographs))).toMatchObject({
      code: 0,
      data: `folder:${photographs}: 24 images of 2 classes to train on; not the set of moco-v1-imagenet, of 1,281,167`,
      missing: [],
    });
  });

  it("says without the data what they are missing for, from what is published of them", async () => {
    const without = await plan(...smallOn(join(root, "nothing")));
    const steps = 2 * Math.floor(1_281_167 / 8);
    expect(without).toMatchObject({ code: 1, steps, memory: amounts, disk: amounts });
    expect(without.missing).toEqual([expect.stringMatching(/^data: Cannot load folder:.*nothing: there is no folder/)]);
  });

  it("refuses before training what its recipe has no use for", async () => {
    const { code, stderr } = await moco(...small, "--knn-k", "3");
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "Cannot set --knn-k: --preset moco-v1-imagenet has its own readings, or none; leave it out\n",
    });
  });

  it("trains the first steps of the whole schedule, goes on to what an unbroken run gives, and is measured by the paper's protocol", async () => {
    const [broken, whole] = [join(root, "broken"), join(root, "whole")];
    const begun = await json<{
      readonly step: number;
      readonly totalSteps: number;
      readonly losses: readonly unknown[];
    }>(...small, ...["--output", broken, "--steps", "2"]);
    expect(begun).toMatchObject({ step: 2, totalSteps: 6, losses: [{ step: 1 }, { step: 2 }] });
    const goneOn = await json<Trained>(...small, "--output", broken);
    const unbroken = await json<Trained>(...small, "--output", whole);
    expect(goneOn.manifest.steps).toBe(6);
    expect(unbroken.manifest.encoder).toBe(goneOn.manifest.encoder);

    const linear = await json<{
      readonly manifest: object;
      readonly epochs: readonly object[];
      readonly topOne: object;
      readonly topFive: number;
    }>(
      ...["linear", whole, "--protocol", "paper", "--data", `folder:${data}`, "--output", join(root, "linear")],
      ...set("batchSize=8", "epochs=2", "learningRate=0.1", 'schedule={"kind":"step","milestones":[1],"factor":0.1}'),
    );
    // All of the training part, nothing held out.
    expect(linear.manifest).toMatchObject({ data: { trainImages: 24, classifiedImages: 8 } });
    expect(linear.epochs).toHaveLength(2);
    expect(linear.topOne).toMatchObject({
      mean: expect.any(Number) as number,
      low: expect.any(Number) as number,
      high: expect.any(Number) as number,
    });
  });
});
