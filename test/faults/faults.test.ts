import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../../src/engine/random";
import { install, type Installation } from "./installation";
import { rows } from "./rows";

// The short form of docs/reliability.md; rows that are tried elsewhere in the tests are named there.
let kit: Installation;
beforeAll(() => {
  kit = install();
});
afterAll(() => kit.remove());

describe("nothing is lost", () => {
  const tried = rows.filter(({ times }) => times.short > 0);

  it.each(tried.map((row) => [`${row.id}: ${row.fault.slice(0, 80)}`, row] as const))(
    "%s",
    async (_, row) => {
      let count = 0;
      for await (const { what, problem } of row.run(kit, randomStream(1, "faults", row.id), row.times.short)) {
        expect(problem, what).toBeUndefined();
        count++;
      }
      expect(count).toBeLessThanOrEqual(row.times.short);
    },
    // Processes train one after the other, and much slower on a busy machine.
    300_000,
  );
});
