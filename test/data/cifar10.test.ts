import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cifar10Files, loadCifar10, wrongCifar10Files } from "../../src/data/cifar10";
import { randomStream } from "../../src/engine/random";

const perClass = 4;
let folder: string;

/** Records of a file: `perClass` images of each class, pixels of noise seeded by the file's name. */
function batch(file: string): Uint8Array {
  const random = randomStream(0, file);
  const bytes = new Uint8Array(10 * perClass * 3073);
  for (let index = 0; index < bytes.length; index++) bytes[index] = random.integer(256);
  for (let record = 0; record < 10 * perClass; record++) bytes[record * 3073] = record % 10;
  return bytes;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cifar10-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function writeBatches(): Promise<void> {
  for (const file of Object.keys(cifar10Files)) await writeFile(join(folder, file), batch(file));
}

describe("loadCifar10", () => {
  it("gives back every image and label of the binary files", async () => {
    await writeBatches();
    const data = await loadCifar10(folder);
    for (const { ids, labels, pixels } of [data.train, data.validation, data.test]) {
      ids.forEach((id, index) => {
        const [file, record] = id.split("/") as [string, string];
        const bytes = batch(file).subarray(Number(record) * 3073, (Number(record) + 1) * 3073);
        expect(labels[index]).toBe(bytes[0]);
        const image = pixels.subarray(index * 3072, (index + 1) * 3072);
        const planes = [0, 1, 2].flatMap((channel) => [...image.filter((_, place) => place % 3 === channel)]);
        expect(Buffer.from(planes).equals(bytes.subarray(1))).toBe(true);
      });
    }
    expect(data.test.ids.every((id) => id.startsWith("test_batch.bin/"))).toBe(true);
  });

  it("keeps 15 % of each class of train for validation, the same ones each time", async () => {
    await writeBatches();
    const data = await loadCifar10(folder);
    for (let label = 0; label < 10; label++) {
      expect(data.validation.labels.filter((value) => value === label)).toHaveLength(3);
      expect(data.train.labels.filter((value) => value === label)).toHaveLength(17);
    }
    expect((await loadCifar10(folder)).checksum).toBe(data.checksum);
  });

  it("makes each image a group of its own, without twins", async () => {
    await writeBatches();
    const { train, validation, test } = await loadCifar10(folder);
    expect(new Set([...train.groups, ...validation.groups, ...test.groups]).size).toBe(240);
    expect(train.twins).toBeUndefined();
  });

  it("says which file has a size that is not one of whole records", async () => {
    await writeBatches();
    await writeFile(join(folder, "data_batch_3.bin"), new Uint8Array(3072));
    await expect(loadCifar10(folder)).rejects.toThrow(
      /data_batch_3\.bin must be made of records of 3073 bytes.*current size is 3072/,
    );
  });

  it("says which record has an impossible label", async () => {
    await writeBatches();
    const bytes = batch("test_batch.bin");
    bytes[7 * 3073] = 10;
    await writeFile(join(folder, "test_batch.bin"), bytes);
    await expect(loadCifar10(folder)).rejects.toThrow(
      /record 7 of .*test_batch\.bin must be 0 to 9.*current value is 10/,
    );
  });

  it("says which file is missing", async () => {
    await writeBatches();
    await rm(join(folder, "data_batch_5.bin"));
    await expect(loadCifar10(folder)).rejects.toThrow(/missing is data_batch_5\.bin/);
  });
});

describe("wrongCifar10Files", () => {
  it("names every file that is not the official one", async () => {
    await writeBatches();
    const wrong = await wrongCifar10Files(folder);
    expect(wrong.map((line) => line.split(":")[0])).toEqual(Object.keys(cifar10Files));
  });
});
