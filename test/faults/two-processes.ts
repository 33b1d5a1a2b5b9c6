import { writeFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { hostname } from "node:os";
import { lockFile } from "../../src/files/folder-lock";
import { moco, type Ended } from "./process";
import type { Row } from "./row";
import { compare, pretraining, problemOf, reset, resultOf, undisturbed } from "./works";

export const twoProcessRows: readonly Row[] = [
  {
    id: "two-processes",
    fault: "a second process on a run in which one trains",
    promise: "the second refuses with exit code 2 and names the first's process; the first ends as if alone",
    times: { full: 6, short: 0 },
    run: async function* (kit, _random, times) {
      const work = pretraining(kit, "shared");
      const expected = await undisturbed(kit, work);
      for (let trial = 0; trial < times; trial++) {
        reset(work);
        let second: Promise<Ended> | undefined;
        let pid: number | undefined;
        const first = await moco(kit, work.words, {
          onStart: (child) => {
            pid = child.pid;
            // Once it has said something, it has the lock.
            second = once(child.stdout!, "data").then(() => moco(kit, work.words));
          },
        });
        const { code, stderr } = await second!;
        // A second one that comes when the first has ended finds nothing to do.
        const refused = code === 2 && new RegExp(`^Cannot use the folder .*: process ${pid} on `, "m").test(stderr);
        const problem =
          problemOf(first) ??
          (refused || code === 0 ? undefined : `the second ended with ${code}: ${stderr.trim()}`) ??
          compare(resultOf(work, first), expected);
        yield { what: refused ? "refused" : "came late", ...(problem !== undefined && { problem }) };
      }
    },
  },
  {
    id: "stale-lock",
    fault: "a lock whose process is gone, whose number another process has, or that a crash has cut",
    promise: "does not count",
    times: { full: 3, short: 1 },
    run: async function* (kit, _random, times) {
      const work = pretraining(kit, "stale");
      const expected = await undisturbed(kit, work);
      const lock = { started: "0", host: hostname(), since: "2020-01-01T00:00:00Z" };
      const cases = [
        ["a process that is gone", JSON.stringify({ pid: 2 ** 22 + 1, ...lock })],
        ["another process of its number", JSON.stringify({ pid: process.pid, ...lock })],
        ["cut", '{"pid": 1'],
      ] as const;
      for (const [what, text] of cases.slice(0, times)) {
        writeFileSync(join(work.folder, lockFile), text);
        // The checkpoint is there: nothing is trained.
        const ended = await moco(kit, work.words);
        const problem = problemOf(ended) ?? compare(resultOf(work, ended), expected);
        yield { what, ...(problem !== undefined && { problem }) };
      }
    },
  },
];
