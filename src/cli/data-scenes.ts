import Table from "cli-table3";
import { Command, Option } from "commander";
import { parts, type Part } from "../data/emoji-split";
import type { SceneFormat } from "../detection/data/scene-files";
import { InputError } from "../errors";
import { integerFrom } from "./numbers";

interface SceneFlags extends Partial<Readonly<Record<Part, number>>> {
  readonly output: string;
  readonly format: SceneFormat;
  readonly size?: number;
  readonly seed?: number;
  readonly json?: boolean;
}

/** `moco data scenes`: writes composed scenes for detection. */
export function scenesCommand(): Command {
  return new Command("scenes")
    .description("compose scenes for detection out of the emoji drawings and write them in COCO's or VOC's format")
    .requiredOption("--output <folder>", "new or empty folder to write into")
    .addOption(
      new Option("--format <name>", "format of the annotations; VOC's has no masks")
        .choices(["coco", "voc"] satisfies SceneFormat[])
        .makeOptionMandatory(),
    )
    .option("--size <pixels>", "side of a scene (default: 96)", integerFrom(1))
    .option("--train <count>", "scenes of the train groups, 0 for none (default: 2000)", integerFrom(0))
    .option("--validation <count>", "scenes of the validation groups (default: 250)", integerFrom(0))
    .option("--test <count>", "scenes of the test groups (default: 500)", integerFrom(0))
    .option("--seed <integer>", "seed of every random choice (default: 0)", integerFrom(0))
    .option("--json", "print JSON")
    .action(async ({ output, format, size, seed, json, ...counts }: SceneFlags) => {
      const wanted = parts.filter((part) => counts[part] !== 0);
      if (wanted.length === 0) {
        throw new InputError("Cannot write scenes: ask for some of one part at least, current counts are 0");
      }
      const { writeScenes } = await import("../detection/data/scene-files.js");
      const options = wanted.map((part) => ({ part, size, count: counts[part], seed }));
      const written = await writeScenes(options, output, format);
      if (json) return console.log(JSON.stringify(written, null, 2));
      const table = new Table({ head: ["set", "images", "objects", "SHA-256"], style: { head: [], border: [] } });
      table.push(...written.map(({ name, images, objects, checksum }) => [name, images, objects, checksum]));
      console.log(`${table.toString()}\nWritten to ${output}; its README.md has the credit that must be shown.`);
    });
}
