import { Command, Option } from "commander";
import { presetNamed, presetNames } from "../recipes/presets";

interface CompareFlags {
  readonly presetA: (typeof presetNames)[number];
  readonly presetB: (typeof presetNames)[number];
  readonly json?: boolean;
}

/** `moco compare`: two result sets side by side. */
export function compareCommand(): Command {
  const preset = (set: "a" | "b") =>
    new Option(`--preset-${set} <name>`, `preset of the runs of ${set.toUpperCase()}`)
      .choices(presetNames)
      .default("quick");
  return new Command("compare")
    .description("compare two result sets, of another machine, commit or preset, row by row with tests")
    .argument("<A>", "folder of recorded runs, as results/quick is")
    .argument("<B>", "another")
    .addOption(preset("a"))
    .addOption(preset("b"))
    .option("--json", "print JSON")
    .action(async (a: string, b: string, { presetA, presetB, json }: CompareFlags) => {
      const { compareSets, setRows } = await import("../report/compare-sets.js");
      const { textTable } = await import("../display/table.js");
      const differences = compareSets(
        { folder: a, preset: presetNamed(presetA) },
        { folder: b, preset: presetNamed(presetB) },
      );
      if (json) console.log(JSON.stringify(differences, null, 2));
      else {
        console.log(textTable(setRows(differences)));
        console.log(
          "Means in percent, with how many seeds in parentheses. Paired: the same recipes, data and seeds on both sides, Student's t; " +
            "else Welch's t. p adjusted by Holm's method over all rows and measures; 95 % intervals are not.",
        );
      }
    });
}
