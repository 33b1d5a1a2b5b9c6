import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { detectorNamesOf, namesIn, runsFolder } from "../../src/runs/run-name";
import { measuredEncoders } from "../../src/experiments/transfer/measured-encoders";
import { recordedRuns } from "../../src/runs/run-store";
import {
  ownTransferRuns,
  recordedTestSet,
  recordedTransferRuns,
  recordTransfer,
  storedTransfer,
} from "../../src/experiments/transfer/stored-transfer";
import { transferNamed, type TransferRow } from "../../src/experiments/transfer/transfer";
import { moco } from "./moco";

const folder = mkdtempSync(join(tmpdir(), "moco-transfer-"));
afterAll(() => rmSync(folder, { recursive: true }));

const transfer = transferNamed("smoke");

/** Detections are drawn as an image, which JupyterLab shows of an untrusted notebook too; test/display looks at what is in it. */
const drawing = '"image/png"';

interface TransferJson {
  readonly rows: readonly { readonly label: string; readonly metrics?: { readonly ap50: { readonly mean: number } } }[];
  readonly differences: readonly { readonly row: string; readonly reference: string }[];
}

function forget({ detection }: TransferRow): void {
  for (const name of detectorNamesOf(namesIn(runsFolder), detection, 1)) {
    rmSync(join(runsFolder, name), { recursive: true });
  }
}

describe("notebook 06", () => {
  it("trains detectors at preset smoke, shows boxes, differences and the published tables", async () => {
    const [random] = transfer.rows;
    // One row is trained by this test, whatever was there.
    forget(random!);
    const output = join(folder, "06.ipynb");
    const { code, stdout, stderr } = await moco("notebook", "06", "--preset", "smoke", "--output", output);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain("3 detectors per seed: about 1 min on two cores");
    const executed = readFileSync(output, "utf8");
    for (const text of [drawing, "MoCo − supervised", "unsupervised, YFCC-100M", "BCCD"]) {
      expect(executed).toContain(text);
    }
  }, 300_000);
});

describe("notebook 07", () => {
  const masks = transferNamed("smoke-fpn");

  it("trains Mask R-CNN at preset smoke, draws masks, and judges the paper's seven tasks", async () => {
    forget(masks.rows[0]!);
    const output = join(folder, "07.ipynb");
    const { code, stdout, stderr } = await moco("notebook", "07", "--preset", "smoke", "--output", output);
    expect(code, stdout + stderr).toBe(0);
    const executed = readFileSync(output, "utf8");
    for (const text of [
      "coco_R_50_FPN_6x",
      "MoCo − supervised",
      "AP75, masks",
      drawing,
      "kept as printed",
      "VOC semantic segmentation, −1.9 on ImageNet-1M",
      "no order to compare",
    ]) {
      expect(executed).toContain(text);
    }
  }, 600_000);

  it("leaves runs that are recorded with their masks and the runs of their pre-training", async () => {
    const test = await recordedTestSet(masks);
    expect(recordTransfer(masks, test, 1, folder)).toBe(3);
    const own = storedTransfer(masks, test, ownTransferRuns());
    const recorded = storedTransfer(masks, test, recordedTransferRuns(masks, folder));
    for (const [at, { metrics }] of recorded.rows.entries()) {
      expect(metrics!.maskAp50).toEqual(own.rows[at]!.metrics!.maskAp50);
    }
    const [encoder] = measuredEncoders(masks, recordedTransferRuns(masks, folder), recordedRuns(masks.preset, folder));
    expect(encoder).toMatchObject({ label: "supervised", seed: 1 });
  }, 300_000);
});

describe("moco transfer", () => {
  it("prints what is there, and the same once it is recorded", async () => {
    const { code, stdout, stderr } = await moco("transfer", "--preset", "smoke", "--json");
    expect(code, stderr).toBe(0);
    const { rows, differences } = JSON.parse(stdout) as TransferJson;
    expect(rows.filter(({ metrics }) => metrics).map(({ label }) => label)).toEqual(["random", "supervised", "MoCo"]);
    expect(differences.map(({ row, reference }) => `${row} − ${reference}`)).toEqual([
      "supervised − random",
      "MoCo − random",
      "MoCo − supervised",
    ]);
    const test = await recordedTestSet(transfer);
    expect(recordTransfer(transfer, test, 1, folder)).toBe(3);
    const recorded = storedTransfer(transfer, test, recordedTransferRuns(transfer, folder));
    expect(recorded.rows.map(({ metrics }) => metrics?.ap50.mean)).toEqual(
      rows.map(({ metrics }) => metrics?.ap50.mean),
    );
  }, 300_000);

  it("asks for the folder of blood cells, and refuses to record what is recorded", async () => {
    const missing = await moco("transfer", "--preset", "bccd");
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining("give its folder by --root")]);
    const both = await moco("transfer", "--recorded", "--record");
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("leave out --record")]);
  });
});
