import { Option } from "commander";
import { dataRootVariable } from "../data/load";

/** `--data-root`, as every command that reads data sets has it. */
export function dataRootOption(): Option {
  return new Option(
    "--data-root <folder>",
    `folder in which data sets lie (else ${dataRootVariable}, else ./data of the project)`,
  );
}
