import { Command, Option } from "commander";
import { InputError } from "../errors";
import { namings, type Naming } from "../weights/checkpoint-names";

/** The flags of `moco convert`. */
export interface ConvertFlags {
  readonly to: Naming;
  readonly json?: boolean;
}

/** `moco convert`: brings weights from and to other projects. */
export function convertCommand(): Command {
  return new Command("convert")
    .description(
      "write a checkpoint's weights with the names of another project. Reads safetensors, PyTorch (.pth.tar, .pth) and " +
        "detectron2's .pkl, and finds out whose names they have; writes safetensors, or .pkl for detectron2",
    )
    .argument(
      "<input>",
      "checkpoint of the kit, or its run's folder; of the official MoCo code, or of torchvision or detectron2",
    )
    .argument("<output>", "file to write: *.safetensors, or *.pkl for detectron2")
    .addOption(
      new Option(
        "--to <names>",
        "kit and moco: both encoders and the queue, as far as the input has them; torchvision and detectron2: the query encoder",
      )
        .choices(namings)
        .makeOptionMandatory(),
    )
    .option("--json", "print JSON")
    .action(async (input: string, output: string, flags: ConvertFlags) => {
      const ending = flags.to === "detectron2" ? ".pkl" : ".safetensors";
      if (!output.endsWith(ending)) {
        throw new InputError(
          `Cannot write ${flags.to} weights: the file's name must end in ${ending}, current name is ${output}`,
        );
      }
      const { convertWeights } = await import("./convert-action.js");
      convertWeights(input, output, flags);
    });
}
