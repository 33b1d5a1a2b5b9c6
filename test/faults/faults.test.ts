import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../../src/engine/random";
import { install, type Installation } from "./installation";
import { rows } from "./rows";

// The short form of docs/reliability.md. It says which tests stand for the rows that only the long ones try.
const long = process.env["MOCO_TEST_LONG"] !== undefined;
let kit: Installation;
beforeAll(() => {
  kit = install();
});
afterAll(() => kit.remove());

describe("nothing is lost", () => {
  for (const { id, fault, times, run } of rows) {
    it.runIf(long || times.short > 0)(
      `${id}: ${fault.slice(0, 80)}`,
      async () => {
        const most = Math.max(1, times.short);
        let count = 0;
        for await (const { what, problem } of run(kit, randomStream(1, "faults", id), most)) {
          expect(problem, what).toBeUndefined();
          count++;
        }
        expect(count).toBeLessThanOrEqual(most);
      },
      // Processes train one after the other, and much slower on a busy machine.
      300_000,
    );
  }
});
