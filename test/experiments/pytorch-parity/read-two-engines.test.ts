import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InputError } from "../../../src/errors";
import { withChecksum } from "../../../src/files/checked-json";
import { readTwoEngines } from "../../../src/experiments/pytorch-parity/read-two-engines";
import { cifar10DemoRecipe } from "../../../src/recipes/cifar10-demo";

const head = "epoch,lr,train_loss,knn_top1\n";
const run = (engine: string, seed: number) => ({
  engine,
  seed,
  recipe: cifar10DemoRecipe,
  data: "0123abcd",
  curve: [1, 2, 3, 4, 5].map((epoch) => ({ epoch, loss: 7, knn: 0.3 })),
});
let folder: string;
const write = (name: string, content: unknown) =>
  writeFileSync(
    join(folder, name),
    typeof content === "string" ? content : JSON.stringify(withChecksum(content as object)),
  );

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "moco-engines-"));
  write("official.csv", `${head}1,0.06,6.9569,31.98\n2,0.059985,7.2502,33.52\n`);
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("readTwoEngines", () => {
  it("reads the runs of both engines by seed, and the official log with kNN as a share", () => {
    for (const seed of [10, 2]) write(`kit-seed${seed}.json`, run("moco-kit 0.1.0", seed));
    write("pytorch-seed2.json", run("torch 2.6.0", 2));
    const { kit, pytorch, official } = readTwoEngines(folder);
    expect(kit).toEqual([run("moco-kit 0.1.0", 2), run("moco-kit 0.1.0", 10)]);
    expect(pytorch).toEqual([run("torch 2.6.0", 2)]);
    expect(official).toEqual([
      { epoch: 1, loss: 6.9569, knn: expect.closeTo(0.3198, 12) as number },
      { epoch: 2, loss: 7.2502, knn: expect.closeTo(0.3352, 12) as number },
    ]);
  });

  it("says which file is wrong, and how", () => {
    const read = () => readTwoEngines(folder);
    write("kit-seed1.json", "{");
    expect(read).toThrow(InputError);
    expect(read).toThrow(/kit-seed1\.json: it is not JSON/);
    write("kit-seed1.json", { ...run("kit", 1), curve: [{ epoch: 1, loss: 7, knn: 31.98 }] });
    expect(read).toThrow(/kit-seed1\.json: curve\.0\.knn: /);
    write("kit-seed1.json", run("kit", 2));
    expect(read).toThrow(/its name says seed 1, current value is 2/);
  });

  it("says where the official log is wrong or missing", () => {
    const read = () => readTwoEngines(folder);
    write("official.csv", `${head}1,0.06,6.9569\n`);
    expect(read).toThrow(/line 2 is "1,0\.06,6\.9569"/);
    write("official.csv", "epoch,loss\n");
    expect(read).toThrow("its columns must be epoch,lr,train_loss,knn_top1, current value is epoch,loss");
    rmSync(join(folder, "official.csv"));
    expect(read).toThrow("there is no file");
  });

  it("has the whole official log in the repository: 200 epochs, from 31.98 to 82.58 %", () => {
    const { official } = readTwoEngines();
    expect(official.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    expect(official[0]!.knn).toBeCloseTo(0.3198, 12);
    expect(official[199]).toMatchObject({ loss: 2.2716, knn: expect.closeTo(0.8258, 12) as number });
  });
});
