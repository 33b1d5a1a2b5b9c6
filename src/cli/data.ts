import Table from "cli-table3";
import { Command, InvalidArgumentError, Option } from "commander";
import { wrongCifar10Files } from "../data/cifar10";
import type { ImageData, ImageSet } from "../data/image-set";
import { dataFolder, dataRootVariable, findDataSets, loadData, parseDataName, type DataName } from "../data/load";
import { InputError } from "../engine/errors";
import { scenesCommand } from "./data-scenes";

interface DataFlags {
  readonly dataRoot?: string;
  readonly size?: number;
  readonly json?: boolean;
}

/** Images of a data set by class and part, as `data count --json` prints them. */
export interface DataCount {
  readonly name: string;
  readonly size: number;
  /** SHA-256 over pixels and labels. */
  readonly checksum: string;
  readonly parts: readonly { readonly part: string; readonly images: number; readonly groups: number }[];
  readonly classes: readonly {
    readonly class: string;
    readonly train: number;
    readonly validation: number;
    readonly test: number;
  }[];
}

/** `moco data`: says which data sets are there, checks one, counts one, composes scenes for detection. */
export function dataCommand(): Command {
  const command = new Command("data").description("list, verify and count data sets, compose scenes");

  command
    .command("list")
    .description("say which data sets are there")
    .addOption(dataRootOption())
    .option("--json", "print JSON")
    .action(async (flags: DataFlags) => {
      const findings = await findDataSets(flags.dataRoot);
      if (flags.json) return printJson(findings);
      const table = new Table({ head: ["data set", "found", "where"], style: { head: [], border: [] } });
      table.push(...findings.map(({ name, found, detail }) => [name, found ? "yes" : "no", detail]));
      console.log(table.toString());
    });

  command
    .command("verify")
    .description("read a whole data set and compare its files with known checksums, where there are any")
    .argument("<name>", "emoji, cifar10 or folder:PATH")
    .addOption(dataRootOption())
    .addOption(sizeOption())
    .option("--json", "print JSON")
    .action(async (text: string, flags: DataFlags) => {
      const name = parseDataName(text);
      const data = await loadData(name, { root: flags.dataRoot, size: flags.size });
      const against = await compareFiles(name, flags.dataRoot);
      const images = partsOf(data).reduce((sum, part) => sum + part.labels.length, 0);
      if (flags.json) return printJson({ name: data.name, images, against, checksum: data.checksum });
      console.log(`${data.name}: ${images} images read; ${against}.\nSHA-256 of pixels and labels: ${data.checksum}`);
    });

  command
    .command("count")
    .description("count images by class and part")
    .argument("<name>", "emoji, cifar10 or folder:PATH")
    .addOption(dataRootOption())
    .addOption(sizeOption())
    .option("--json", "print JSON")
    .action(async (text: string, flags: DataFlags) => {
      const count = countData(await loadData(parseDataName(text), { root: flags.dataRoot, size: flags.size }));
      if (flags.json) return printJson(count);
      const table = new Table({
        head: ["class", ...count.parts.map(({ part }) => part)],
        style: { head: [], border: [] },
      });
      table.push(
        ...count.classes.map((row) => [row.class, row.train, row.validation, row.test]),
        ["all", ...count.parts.map(({ images }) => images)],
        ["groups", ...count.parts.map(({ groups }) => groups)],
      );
      console.log(table.toString());
    });

  return command.addCommand(scenesCommand());
}

/** Counts images by class and part. */
export function countData(data: ImageData): DataCount {
  const inClass = (part: ImageSet, label: number): number => part.labels.filter((value) => value === label).length;
  return {
    name: data.name,
    size: data.train.size,
    checksum: data.checksum,
    parts: partsOf(data).map((part) => ({
      part: part.name.split("/").pop()!,
      images: part.labels.length,
      groups: new Set(part.groups).size,
    })),
    classes: data.train.classes.map((name, label) => ({
      class: name,
      train: inClass(data.train, label),
      validation: inClass(data.validation, label),
      test: inClass(data.test, label),
    })),
  };
}

/** Compares files with known checksums and says with which; loading the emoji set has compared them already. */
async function compareFiles(name: DataName, root?: string): Promise<string> {
  if (name === "emoji") return "its files are those that the split was made from";
  if (name !== "cifar10") return "every image decodes, and there are no known checksums to compare with";
  const wrong = await wrongCifar10Files(dataFolder(name, root));
  if (wrong.length > 0) {
    throw new InputError(
      `Cannot verify CIFAR-10: these files are not those of the official binary version\n${wrong.join("\n")}`,
    );
  }
  return "its files are those of the official binary version";
}

function partsOf(data: ImageData): readonly ImageSet[] {
  return [data.train, data.validation, data.test];
}

function dataRootOption(): Option {
  return new Option(
    "--data-root <folder>",
    `folder in which data sets lie (else ${dataRootVariable}, else ./data of the project)`,
  );
}

function sizeOption(): Option {
  return new Option("--size <pixels>", "side of an image in pixels").argParser((text) => {
    const size = Number(text);
    if (!Number.isInteger(size) || size < 1) throw new InvalidArgumentError("It must be a positive integer.");
    return size;
  });
}

function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}
