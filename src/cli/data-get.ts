import { join } from "node:path";
import { Command } from "commander";
import { dataRoot } from "../data/load";
import type { DownloadProgress } from "../data/published/download";
import { publishedSets } from "../data/published/published-sets";
import { InterruptedError } from "../errors";
import { dataRootOption } from "./data-root";
import { progressBar, type ProgressBar } from "./progress-bar";

interface GetFlags {
  readonly dataRoot?: string;
  readonly mirror?: string;
  readonly archives?: string;
  readonly json?: boolean;
}

const stopSignals = ["SIGINT", "SIGTERM"] as const;

/** `moco data get`: puts a published data set in place. */
export function getCommand(): Command {
  return new Command("get")
    .description(
      "download a published data set, check it and unpack it; goes on where it was stopped, and does nothing where the set is in place",
    )
    .argument("<name>", publishedSets.map(({ name }) => name).join(", "))
    .addOption(dataRootOption())
    .option("--mirror <address>", "folder on another server that has the archives under their names")
    .option("--archives <folder>", "folder with archives that you have: they are used and left; needed for imagenet")
    .option("--json", "print the outcome as JSON; progress goes to stderr")
    .action(async (name: string, flags: GetFlags) => {
      // Here, since it loads the libraries for HTTP and archives.
      const { getSet, publishedSet } = await import("../data/published/get-set.js");
      const set = publishedSet(name);
      const root = dataRoot(flags.dataRoot);
      const stream = flags.json ? process.stderr : process.stdout;
      let bar: ProgressBar<Transfer> | undefined;
      const endBar = (): void => {
        bar?.stop();
        bar = undefined;
      };
      const stopping = new AbortController();
      // A second one ends the process at once.
      const stop = (): void => {
        endBar();
        stream.write("Stopping, what was unpacked is removed\n");
        stopping.abort(new InterruptedError("Stopped. What was downloaded is kept: run the same again to go on"));
      };
      for (const signal of stopSignals) process.once(signal, stop);
      let done: boolean;
      try {
        done = await getSet(set, {
          root,
          mirror: flags.mirror,
          archives: flags.archives,
          signal: stopping.signal,
          onStage: (stage) => {
            endBar();
            stream.write(`${stage}\n`);
          },
          onProgress: (progress) => {
            bar ??= progressBar<Transfer>(stream, describeTransfer);
            bar.show({ ...progress, step: progress.bytes, totalSteps: progress.totalBytes });
          },
        });
      } finally {
        endBar();
        for (const signal of stopSignals) process.off(signal, stop);
      }
      const folder = join(root, set.place);
      if (flags.json) return console.log(JSON.stringify({ name, folder, done }, null, 2));
      const use = set.use.replace("ROOT", root);
      console.log(`${done ? "In place" : "Nothing to do: in place before"}.\n${folder}\n${use}`);
    });
}

interface Transfer extends DownloadProgress {
  readonly step: number;
  readonly totalSteps: number;
}

/** "shapes.tgz: 12.3 of 170.1 MB" */
export function describeTransfer({ file, bytes, totalBytes }: DownloadProgress): string {
  const megabytes = (count: number): string => (count / 1e6).toFixed(1);
  return `${file}: ${megabytes(bytes)} of ${megabytes(totalBytes)} MB`;
}
