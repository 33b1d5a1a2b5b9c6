import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { randomStream } from "../../src/engine/random";
import { InputError } from "../../src/errors";
import { isPickle, readNumpyPickle } from "../../src/weights/numpy-pickle";
import { failureOf } from "../../src/weights/read-failure";
import { decodeSafetensors } from "../../src/weights/safetensors";
import { readTorchFile } from "../../src/weights/torch-file";
import { mutateBytes } from "./mutate-bytes";

const fixtures = join(__dirname, "fixtures");
const names = readdirSync(fixtures).filter((name) => !name.endsWith(".json"));

/** Mutations of each file; all together 10,000 in the long form. */
const mutations = process.env["MOCO_TEST_LONG"] ? Math.ceil(10_000 / names.length) : 8;

function read(bytes: Buffer, name: string): unknown {
  if (name.endsWith(".safetensors")) return decodeSafetensors(bytes, name);
  return name.endsWith(".pkl") && isPickle(bytes)
    ? readNumpyPickle(bytes, failureOf(name))
    : readTorchFile(bytes, failureOf(name));
}

it.each(names)("a changed file ends within 5 s in tensors or in an error that names it: %s", (name) => {
  const original = readFileSync(join(fixtures, name));
  for (let mutation = 0; mutation < mutations; mutation++) {
    const bytes = mutateBytes(original, randomStream(1, "mutate", name, mutation));
    const start = performance.now();
    try {
      expect(read(bytes, name)).toBeTypeOf("object");
    } catch (error) {
      expect(error, `mutation ${mutation}: ${(error as Error).stack}`).toBeInstanceOf(InputError);
      expect((error as InputError).message).toContain(name);
    }
    expect(performance.now() - start).toBeLessThan(5000);
  }
});
