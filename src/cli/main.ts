/** The command line `moco`. Commands load TensorFlow only once they need it, so that help and wrong flags answer at once. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { citeCommand, crateCommand } from "./cite";
import { cellsCommand } from "./cells";
import { claimsCommand } from "./claims";
import { compareCommand } from "./compare";
import { convertCommand } from "./convert";
import { dataCommand } from "./data";
import { detectCommand } from "./detect";
import { printable } from "../files/printable";
import { requestStop } from "../display/kernel";
import { doctorCommand } from "./doctor";
import { exitOf } from "./errors";
import { estimateCommand } from "./estimate";
import { knnCommand, linearCommand } from "./evaluate";
import { labCommand } from "./lab";
import { notebookCommand } from "./notebook";
import { pretrainCommand } from "./pretrain";
import { projectRoot } from "./project";
import { reportCommand } from "./report";
import { reproduceCommand } from "./reproduce";
import { tableCommand } from "./table";
import { transferCommand } from "./transfer";
import { verifyCommand } from "./verify";

/** Every command, with an example for its help. */
const commands: readonly (readonly [create: () => Command, example: string])[] = [
  [reproduceCommand, "moco reproduce --preset quick --seeds 3"],
  [pretrainCommand, "moco pretrain --queue-size 1024 --momentum 0.99 --set encoder.width=8"],
  [linearCommand, "moco linear runs/my-run --part validation"],
  [knnCommand, "moco knn runs/my-run --k 20 --temperature 0.1"],
  [convertCommand, "moco convert moco_v2_200ep.pth.tar moco_v2.pkl --to detectron2"],
  [detectCommand, "moco detect --dataset scenes --init supervised --preset quick"],
  [transferCommand, "moco transfer --preset quick --seeds 3"],
  [estimateCommand, "moco estimate moco-v2-imagenet-200 coco_R_50_C4_2x --measure"],
  [cellsCommand, "moco cells list --preset smoke --seeds 2"],
  [tableCommand, "moco table momentum --preset quick --recorded"],
  [claimsCommand, "moco claims"],
  [reportCommand, "moco report"],
  [verifyCommand, "moco verify"],
  [citeCommand, "moco cite momentum --format bibtex"],
  [crateCommand, "moco crate momentum"],
  [compareCommand, "moco compare results/quick other/results/quick"],
  [notebookCommand, "moco notebook 04 --preset smoke"],
  [labCommand, "moco lab -- --no-browser"],
  [dataCommand, "moco data count emoji"],
  [doctorCommand, "moco doctor --gpu"],
];

function createProgram(): Command {
  const { version } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as { version: string };
  const program = new Command("moco")
    .description("Reproduction kit for Momentum Contrast (MoCo, CVPR 2020)")
    .version(version)
    .exitOverride()
    .showHelpAfterError("Add --help to see what the command takes.");
  for (const [create, example] of commands) {
    program.addCommand(create().addHelpText("after", `\nExample:\n  ${example}`));
  }
  program.addHelpText("after", `\nExamples:\n${commands.map(([, example]) => `  ${example}`).join("\n")}`);
  inherit(program);
  return program;
}

/** What may be given several times. */
const repeatable = "--set";

/**
 * Refuses a flag that is given twice: of two the last would count, and nobody would hear of the first. One that takes several
 * values adds them up.
 */
function refuseRepeated(command: Command): void {
  for (const option of command.options) {
    if (option.long === repeatable || option.variadic) continue;
    let given = 0;
    command.on(`option:${option.name()}`, () => {
      if (++given > 1) command.error(`error: option '${option.flags}' was given twice, give it once`);
    });
  }
}

/** Commander hands settings down only to commands that it creates itself. */
function inherit(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent);
    refuseRepeated(command);
    inherit(command);
  }
}

async function main(): Promise<void> {
  // A reader that has seen enough (`moco data list | head`) is no error. A training stops as it does by Ctrl-C.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      if (!requestStop()) process.exit();
    });
  }
  try {
    await createProgram().parseAsync();
  } catch (error) {
    const { code, message } = exitOf(error, process.env["MOCO_DEBUG"] === "1");
    if (message !== undefined) console.error(printable(message));
    process.exitCode = code;
  }
}

void main();
