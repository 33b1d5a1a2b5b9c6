/**
 * Tries the faults of docs/reliability.md and says what was lost.
 *
 *   npm run faults                               # every row in its full form: about an hour
 *   npm run faults -- kill-pretrain --times 20   # one row
 *   npm run faults -- --record                   # and writes the table, and what was printed beside it
 */
import { Command } from "commander";
import { randomStream } from "../../src/engine/random";
import { install, type Installation } from "./installation";
import { recordRows, type TriedRow } from "./reliability-table";
import type { Row } from "./row";
import { rows } from "./rows";

interface Flags {
  readonly seed: string;
  readonly times?: string;
  readonly record?: boolean;
}

const program = new Command("npm run faults --")
  .argument("[rows...]", `of ${rows.map(({ id }) => id).join(", ")}`)
  .option("--seed <seed>", "of the random moments and places", "1")
  .option("--times <count>", "how often each is tried at most, in place of the full form")
  .option("--record", "write docs/reliability.md and docs/reliability-output.txt")
  .action(main);

void program.parseAsync();

async function main(ids: readonly string[], { seed, times, record }: Flags): Promise<void> {
  const unknown = ids.filter((id) => !rows.some((row) => row.id === id));
  if (unknown.length > 0) return program.error(`Cannot try ${unknown.join(", ")}: no such row`);
  const wanted = ids.length === 0 ? rows : rows.filter(({ id }) => ids.includes(id));
  const done: TriedRow[] = [];
  const kit = install();
  try {
    for (const row of wanted) {
      done.push(await tryRow(kit, row, Number(seed), Math.min(Number(times ?? Infinity), row.times.full)));
      // After each row, so that a stop loses none.
      if (record) recordRows(done);
    }
  } finally {
    kit.remove();
  }
  const lost = done.reduce((sum, one) => sum + one.lost, 0);
  console.log(`Tried ${done.reduce((sum, one) => sum + one.tried, 0)} faults, lost ${lost}.`);
  process.exitCode = lost === 0 ? 0 : 1;
}

async function tryRow(kit: Installation, row: Row, seed: number, times: number): Promise<TriedRow> {
  const lines: string[] = [];
  const say = (line: string): void => {
    lines.push(line);
    console.log(line);
  };
  const command = `npm run faults -- ${row.id} --seed ${seed} --times ${times}`;
  say(`${command}  (${new Date().toISOString()})`);
  let [tried, lost] = [0, 0];
  try {
    for await (const { what, problem } of row.run(kit, randomStream(seed, "faults", row.id), times)) {
      tried++;
      if (problem !== undefined) lost++;
      // Folders of this run mean nothing later.
      say(`  ${what}: ${problem === undefined ? "as promised" : `LOST: ${problem}`}`.replaceAll(kit.root, "KIT"));
    }
  } catch (error) {
    lost++;
    say(`  LOST: ${(error as Error).message}`.replaceAll(kit.root, "KIT"));
  }
  say(`  tried ${tried}, lost ${lost}`);
  return { row, tried, lost, command, output: lines.join("\n") };
}
