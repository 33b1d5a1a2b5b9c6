import { compare, pretraining, problemOf, reset, resultOf, undisturbed } from "./works";
import { shell } from "./process";
import type { Row } from "./row";

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

export const sameBitsRows: readonly Row[] = [
  {
    id: "same-bits",
    fault: others.map(([name]) => name).join(", "),
    promise: "the same recipe, data and seed give the same bits",
    times: { full: others.length, short: 0 },
    run: async function* (kit, _random, times) {
      const work = pretraining(kit, "same");
      const expected = await undisturbed(kit, work);
      for (const [what, script, env] of others.slice(0, times)) {
        reset(work);
        const ended = await shell(kit, `${script} "$MOCO" "$@"`, work.words, { env });
        if (ended.code === 77) continue;
        const problem = problemOf(ended) ?? compare(resultOf(work, ended), expected);
        yield { what, ...(problem !== undefined && { problem }) };
      }
    },
  },
];
