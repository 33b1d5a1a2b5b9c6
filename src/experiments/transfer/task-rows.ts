import { signed } from "../../display/signed";
import {
  mainDifferences,
  shareOfGap,
  standingOf,
  standingOfTask,
  transferTasks,
  type MocoData,
  type PublishedDifference,
  type Standing,
  type TransferTask,
} from "./task-differences";
import type { TextRow } from "../../display/table";

const dataTitles: Readonly<Record<MocoData, string>> = { imageNet: "ImageNet-1M", instagram: "Instagram-1B" };
const dataNames = ["imageNet", "instagram"] as const satisfies readonly MocoData[];

/** How the paper puts each standing. */
const wordsOfPaper: Readonly<Record<Standing, string>> = { ahead: "better", level: "on par", behind: "worse" };

/** The nine tasks: what the paper says of each, and how MoCo stands to supervised pre-training by its printed figures. */
export function taskRows(): TextRow[] {
  return transferTasks().map((task) => ({
    task: task.name,
    in: task.table,
    "in the paper's words": wordsOfPaper[task.saidToBe],
    ...Object.fromEntries(
      dataNames.flatMap((data) => [
        [`${dataTitles[data]}, AP or mean IoU`, rangeOf(mainDifferences(task).map((one) => one[data]))],
        [`${dataTitles[data]}, all figures`, countsOf(task, data)],
      ]),
    ),
  }));
}

/** Every printed difference in AP or mean IoU, with the share of the gap that MoCo closes. */
export function taskDifferenceRows(): TextRow[] {
  return transferTasks().flatMap((task) =>
    mainDifferences(task).map((one) => ({
      task: task.name,
      setting: one.setting === task.name ? "–" : one.setting,
      measure: one.measure,
      "supervised − random": signedOrZero(one.gap),
      ...Object.fromEntries(
        dataNames.flatMap((data) => [
          [`MoCo, ${dataTitles[data]} − supervised`, `${signedOrZero(one[data])}, ${standingOf(one[data])}`],
          [`of the gap, ${dataTitles[data]}`, percentOfGap(one, data)],
        ]),
      ),
    })),
  );
}

/** What the printed figures say of the claims, each with its name in docs/claims.md. Computed, not written. */
export function taskFindings(): string[] {
  return [allTasks(), gapClosed()];
}

/** S4: better on all seven. */
function allTasks(): string {
  const seven = transferTasks().filter(({ saidToBe }) => saidToBe === "ahead");
  const sentences = dataNames.map((data) => {
    const groups = (["ahead", "mixed", "level", "behind"] as const).flatMap((standing) => {
      const names = seven.filter((task) => standingOfTask(task, data) === standing).map(({ name }) => name);
      return names.length === 0 ? [] : [`${groupTitles[standing]} in ${names.length} (${names.join(", ")})`];
    });
    return `pre-trained on ${dataTitles[data]} it is ${groups.join(", ")}`;
  });
  const holds = dataNames.filter((data) => seven.every((task) => standingOfTask(task, data) === "ahead"));
  const others = transferTasks()
    .filter(({ saidToBe }) => saidToBe !== "ahead")
    .map((task) => `${task.name}, ${rangeOf(mainDifferences(task).map(({ imageNet }) => imageNet))} on ImageNet-1M`);
  return (
    `S4, better than supervised pre-training on all ${seven.length}: ` +
    `${holds.length === dataNames.length ? "holds" : holds.length === 0 ? "does not hold of every figure" : `holds on ${holds.map((data) => dataTitles[data]).join(", ")} alone`}. ` +
    `MoCo against supervised pre-training, by all figures of a task in Tables 2, 5 and 6: ${sentences.join("; ")}. ` +
    `Two more tasks stand outside the ${seven.length}: ${others.join("; ")}.`
  );
}

const groupTitles = {
  ahead: "ahead",
  mixed: "ahead by some figures and behind by others",
  level: "level",
  behind: "behind",
} as const;

/** S10 and D7: the gap is closed. */
function gapClosed(): string {
  const all = transferTasks().flatMap((task) => mainDifferences(task).map((one) => ({ task, one })));
  const open = all.filter(({ one }) => one.gap > 0);
  const sentences = dataNames.map((data) => {
    const least = open.reduce((lowest, other) =>
      shareOfGap(other.one, data)! < shareOfGap(lowest.one, data)! ? other : lowest,
    );
    const whole = open.filter(({ one }) => shareOfGap(one, data)! >= 1).length;
    const { name } = least.task;
    const where = least.one.setting === name ? name : `${name}, ${least.one.setting}`;
    return `MoCo on ${dataTitles[data]} closes all of it in ${whole} and at least ${percentOfGap(least.one, data)} (${where})`;
  });
  const everywhere = dataNames.some((data) => open.every(({ one }) => shareOfGap(one, data)! >= 1));
  const none = all.filter(({ one }) => one.gap <= 0).map(({ task }) => task.name);
  return (
    `S10 and D7, the gap is closed: supervised pre-training is above random weights in ${open.length} of ${all.length} settings ` +
    `by AP or mean IoU${none.length === 0 ? "" : ` (not in ${none.join(", ")}, which has no gap)`}. Of them, ${sentences.join("; ")}. ` +
    `${everywhere ? "Closed in every task" : "Not closed in every task"}; the paper prints no intervals, and its repository expects a standard deviation of 0.2 AP on VOC.`
  );
}

function countsOf({ differences }: TransferTask, data: MocoData): string {
  const count = (standing: Standing) => differences.filter((one) => standingOf(one[data]) === standing).length;
  return (["ahead", "level", "behind"] as const)
    .flatMap((standing) => (count(standing) === 0 ? [] : [`${standing} in ${count(standing)}`]))
    .join(", ");
}

function rangeOf(points: readonly number[]): string {
  const [least, most] = [Math.min(...points), Math.max(...points)];
  return least === most ? signedOrZero(least) : `${signedOrZero(least)} to ${signedOrZero(most)}`;
}

function percentOfGap(difference: PublishedDifference, data: MocoData): string {
  const share = shareOfGap(difference, data);
  return share === undefined ? "–" : `${Math.floor(100 * share)} %`;
}

/** Points with their sign; nothing but zero has none. */
function signedOrZero(points: number): string {
  return points === 0 ? "0.0" : signed(points);
}
