import type { Installation } from "./installation";
import {
  compare,
  pretraining,
  problemOf,
  recordedDetectorTraining,
  reset,
  resultOf,
  undisturbed,
  type Work,
} from "./works";
import { shell } from "./process";
import type { Row, Trial } from "./row";

/** What must not change a bit. */
const others: readonly (readonly [name: string, script: string, env: Readonly<Record<string, string | undefined>>])[] =
  [
    ["a second process", "", {}],
    ["a locale with a decimal comma", "", { LC_ALL: "de_DE.UTF-8", LANG: "de_DE.UTF-8" }],
    ["the Turkish locale", "", { LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8" }],
    ["another time zone", "", { TZ: "Asia/Kathmandu" }],
    ["another working folder", "cd /;", {}],
    [
      "another user",
      "unshare --user --map-user=1234 true || exit 77; exec unshare --user --map-user=1234 ",
      { USER: "other" },
    ],
  ];

/** Runs a work in each of these ways, and compares. */
async function* inAllWays(kit: Installation, work: Work, ways: typeof others): AsyncGenerator<Trial, void, void> {
  const expected = await undisturbed(kit, work);
  for (const [what, script, env] of ways) {
    reset(work);
    const ended = await shell(kit, `${script} "$MOCO" "$@"`, work.words, { env });
    if (ended.code === 77) continue;
    const problem = problemOf(ended) ?? compare(resultOf(work, ended), expected);
    yield { what, ...(problem !== undefined && { problem }) };
  }
}

export const sameBitsRows: readonly Row[] = [
  {
    id: "same-bits",
    fault: `\`moco pretrain\` under: ${others.map(([name]) => name).join(", ")}`,
    promise: "the same recipe, data and seed give the same bits",
    times: { full: others.length, short: 1 },
    run: (kit, _random, times) => inAllWays(kit, pretraining(kit, "same"), others.slice(0, times)),
  },
  {
    id: "same-bits-detect",
    fault: "the same for `moco detect`, whose steps are recorded as a graph",
    promise: "the same recipe, data and seed give the same bits, detections among them",
    times: { full: others.length, short: 0 },
    run: (kit, _random, times) => inAllWays(kit, recordedDetectorTraining(kit, "same-detect"), others.slice(0, times)),
  },
];
