import Table from "cli-table3";
import { Command, Option } from "commander";
import { wrongCifar10Files } from "../data/cifar10";
import { assertDecodable } from "../data/image-files";
import type { ImageData, ImageSet } from "../data/image-set";
import { dataFolder, dataRoot, findDataSets, loadData, parseDataName, type DataName } from "../data/load";
import { publishedSets } from "../data/published/published-sets";
import { printable } from "../files/printable";
import { InputError } from "../errors";
import { integerFrom } from "./numbers";
import { getCommand } from "./data-get";
import { dataRootOption } from "./data-root";
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
  /** SHA-256 over images and labels. */
  readonly checksum: string;
  readonly parts: readonly { readonly part: string; readonly images: number; readonly groups: number }[];
  readonly classes: readonly {
    readonly class: string;
    readonly train: number;
    readonly validation: number;
    readonly test: number;
  }[];
}

/** `moco data`: says which data sets are there, gets one, checks one, counts one, composes scenes for detection. */
export function dataCommand(): Command {
  const command = new Command("data").description("get, list, verify and count data sets, compose scenes");

  command
    .command("list")
    .description("say which data sets are there")
    .addOption(dataRootOption())
    .option("--json", "print JSON")
    .action(async (flags: DataFlags) => {
      const own = await findDataSets(flags.dataRoot);
      const { findPublishedSets } = await import("../data/published/get-set.js");
      const listed = new Set(own.map(({ name }) => name));
      const published = findPublishedSets(dataRoot(flags.dataRoot)).filter(({ name }) => !listed.has(name));
      const findings = [...own, ...published];
      if (flags.json) return printJson(findings);
      const table = new Table({ head: ["data set", "found", "where"], style: { head: [], border: [] } });
      table.push(...findings.map(({ name, found, detail }) => [name, found ? "yes" : "no", detail]));
      console.log(table.toString());
    });

  command
    .command("verify")
    .description("read a whole data set and compare its files with known checksums or counts, where there are any")
    .argument("<name>", "emoji, cifar10, folder:PATH, or what moco data get puts in place")
    .addOption(dataRootOption())
    .addOption(sizeOption())
    .option("--json", "print JSON")
    .action(async (text: string, flags: DataFlags) => {
      if (text !== "cifar10" && publishedSets.some((set) => set.name === text)) return verifyPublished(text, flags);
      const name = parseDataName(text);
      const data = await loadData(name, { root: flags.dataRoot, size: flags.size });
      // Of a large set nothing has been decoded yet.
      assertDecodable(
        data.name,
        partsOf(data).filter((part) => "files" in part),
      );
      const against = await compareFiles(name, flags.dataRoot);
      const images = partsOf(data).reduce((sum, part) => sum + part.labels.length, 0);
      if (flags.json) return printJson({ name: data.name, images, against, checksum: data.checksum });
      console.log(`${data.name}: ${images} images read; ${against}.\nSHA-256 of images and labels: ${data.checksum}`);
    });

  command
    .command("count")
    .description("count images by class and part")
    .argument("<name>", "emoji, cifar10 or folder:PATH")
    .addOption(dataRootOption())
    .addOption(sizeOption())
    .option("--json", "print JSON")
    .action(async (text: string, flags: DataFlags) => {
      const data = await loadData(parseDataName(text), { root: flags.dataRoot, size: flags.size });
      const count = countData(data);
      if (flags.json) return printJson(count);
      const table = new Table({
        head: ["class", ...count.parts.map(({ part }) => part)],
        style: { head: [], border: [] },
      });
      table.push(
        ...count.classes.map((row) => [printable(row.class), row.train, row.validation, row.test]),
        ["all", ...count.parts.map(({ images }) => images)],
        ["groups", ...count.parts.map(({ groups }) => groups)],
      );
      console.log(table.toString());
    });

  return command.addCommand(getCommand()).addCommand(scenesCommand());
}

/** Counts the files of a set that `moco data get` puts in place. */
async function verifyPublished(name: string, { dataRoot: root, json }: DataFlags): Promise<void> {
  const { assertWhole, publishedSet } = await import("../data/published/get-set.js");
  const set = publishedSet(name);
  const folder = dataRoot(root);
  await assertWhole(set, folder);
  if (json) return printJson({ name, folder, files: set.expected });
  const counts = set.expected.map((one) => `${one.count} files *${one.ending} in ${one.folder}`);
  console.log(`${set.title}: whole.\n${counts.join("\n")}`);
}

/** Counts images by class and part. */
function countData(data: ImageData): DataCount {
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

function sizeOption(): Option {
  return new Option("--size <pixels>", "side of an image in pixels").argParser(integerFrom(1));
}

function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}
