import { figure3 } from "../paper/published-ablations";
import { encoderComparison } from "../experiments/linear-evaluation/encoder-comparison";
import { publishedEncoders } from "../paper/published-methods";
import { linearEvaluation } from "../experiments/linear-evaluation/linear-evaluation";
import { mechanismTitles } from "../experiments/mechanisms/mechanisms";
import { publishedMomenta } from "../paper/published-ablations";
import type { Preset } from "../recipes/presets";
import { queueSizeAblation } from "../experiments/ablation/queue-size";
import { publishedLengths } from "../paper/published-ablations";
import { trainingLengths } from "../experiments/ablation/training-length";
import { highlighted, printed, type Claim, type ClaimTest, type ClaimText, type Estimand } from "./claim";

/** Claims that linear probes answer: Figure 3, the ablation of m, and Table 1. */
export function ablationClaims(preset: Preset): Claim[] {
  return [...ofQueueSize(preset), ...ofMechanisms(preset), ...ofMomentum(), ...ofLinearEvaluation(preset)];
}

const difference = { kind: "difference" } as const satisfies ClaimTest;
const trend = { kind: "trend", margin: highlighted } as const satisfies ClaimTest;

function ofQueueSize(preset: Preset): Claim[] {
  const { largestOfTrend } = preset.ablations;
  const queueSizes = preset.ablations.queueSizes.filter(({ queueSize }) => queueSize <= largestOfTrend);
  const published = queueSizes.flatMap(({ paper }) => paper ?? []);
  const [largest, smallest] = [published.at(-1)!, published[0]!];
  const rows = queueSizeAblation(preset)
    .cells.slice(0, queueSizes.length)
    .map(({ label }) => label);
  return [
    {
      id: "S5",
      statement: "MoCo's accuracy rises steadily with the size K of the queue.",
      by: "common claim",
      source: "Figure 3",
      reference: printed(figure3.moco.get(largest), figure3.moco.get(smallest), [
        negatives(largest),
        negatives(smallest),
      ]),
      family: "Figure 3",
      question: { estimand: linear("queue-size", rows), test: trend },
    },
  ];
}

/** A place on the axis of Figure 3. */
function negatives(count: number): string {
  return `K = ${count.toLocaleString("en")}`;
}

/** A row of Figure 3: the kit's, with the number of the K that holds as many batches. */
interface MechanismRow {
  readonly label: string;
  readonly negatives: number;
  readonly published: number | undefined;
}

function ofMechanisms(preset: Preset): Claim[] {
  const { dictionarySizes, batchSizes } = preset.mechanisms;
  const [smallest, largest] = [dictionarySizes[0]!, dictionarySizes.at(-1)!];
  const [smallBatch, largeBatch] = [batchSizes[0]!, batchSizes.at(-1)!];
  const row = (mechanism: keyof typeof figure3, size: number): MechanismRow => {
    const inPaper = (256 * size) / preset.base.batchSize;
    return {
      label: `${mechanismTitles[mechanism]}, ${mechanism === "end-to-end" ? "batch" : "K"} = ${size}`,
      negatives: inPaper,
      published: figure3[mechanism].get(inPaper),
    };
  };
  const claim = (
    text: Pick<ClaimText, "id" | "statement" | "by">,
    test: ClaimTest,
    rows: readonly [MechanismRow, MechanismRow, ...MechanismRow[]],
  ): Claim => {
    const [above, below] = test.kind === "trend" ? [rows.at(-1)!, rows[0]] : rows;
    const estimand = linear(
      "mechanisms",
      rows.map(({ label }) => label),
    );
    const at = [negatives(above.negatives), negatives(below.negatives)] as const;
    const reference = printed(above.published, below.published, at);
    return { ...text, source: "Figure 3", reference, family: "Figure 3", question: { estimand, test } };
  };
  return [
    claim(
      {
        id: "S7-batch",
        statement: "End-to-end training is limited by its batch: MoCo's largest dictionary beats it.",
        by: "common claim",
      },
      difference,
      [row("moco", largest), row("end-to-end", largeBatch)],
    ),
    claim(
      {
        id: "S7-bank",
        statement: "The memory bank is inconsistent: MoCo beats it with a dictionary of the same size.",
        by: "common claim",
      },
      difference,
      [row("moco", largest), row("memory-bank", largest)],
    ),
    claim(
      { id: "bank-size", statement: "The memory bank's accuracy rises with the size of its dictionary.", by: "paper" },
      trend,
      dictionarySizes.map((size) => row("memory-bank", size)) as [MechanismRow, MechanismRow],
    ),
    claim(
      { id: "end-to-end-size", statement: "End-to-end training gains from a larger batch.", by: "paper" },
      difference,
      [row("end-to-end", largeBatch), row("end-to-end", smallBatch)],
    ),
    claim(
      {
        id: "small-dictionary",
        statement: "With a small dictionary, MoCo and end-to-end training do the same.",
        by: "paper",
      },
      { kind: "equivalence", margin: highlighted },
      [row("moco", smallest), row("end-to-end", smallBatch)],
    ),
  ];
}

function ofMomentum(): Claim[] {
  const claim = (text: Pick<ClaimText, "id" | "statement" | "by">, above: number, below: number): Claim => ({
    ...text,
    source: "section 4.1, momentum",
    reference: printed(publishedMomenta.get(above), publishedMomenta.get(below)),
    family: "section 4.1, momentum",
    question: { estimand: linear("momentum", [`m = ${above}`, `m = ${below}`]), test: difference },
  });
  return [
    claim({ id: "S6", statement: "m = 0.999 beats m = 0.9 (by 5.4 points).", by: "common claim" }, 0.999, 0.9),
    claim(
      { id: "slow-keys", statement: "A key encoder that moves slowly is better: m = 0.99 beats m = 0.9.", by: "paper" },
      0.99,
      0.9,
    ),
    claim(
      { id: "no-momentum", statement: "Without momentum training fails: m = 0.9 beats m = 0.", by: "paper" },
      0.9,
      0,
    ),
  ];
}

function ofLinearEvaluation(preset: Preset): Claim[] {
  const family = "Table 1";
  const encoders = encoderComparison(preset).cells;
  const encoder = (name: string) => {
    const { accuracy, parameters } = publishedEncoders.find((one) => one.name === name)!;
    // A preset that does not train it has no such row, which is what the verdict then says.
    const cell = encoders.find(({ publishedAt }) => publishedAt === `${name}, ${parameters} M`);
    return { accuracy, label: cell?.label ?? name };
  };
  const resnet50 = encoder("R50");
  const better = (id: string, name: string, statement: string): Claim => {
    const { accuracy, label } = encoder(name);
    const reference = printed(accuracy, resnet50.accuracy);
    const estimand = linear("encoders", [label, resnet50.label]);
    return {
      id,
      statement,
      by: "paper",
      source: "Table 1",
      reference,
      family,
      question: { estimand, test: difference },
    };
  };
  const lengths = trainingLengths(preset).cells;
  const length = (epochs: number) => {
    const publishedAt = `MoCo v2, ${epochs} epochs`;
    return lengths.find((cell) => cell.publishedAt === publishedAt)?.label ?? publishedAt;
  };
  const methods = linearEvaluation(preset).cells;
  const publishedOf = (label: string) => methods.find((cell) => cell.label === label)!.published!.value;
  return [
    {
      id: "S1",
      statement: "A linear probe on a MoCo ResNet-50 reaches 60.6 % on ImageNet.",
      by: "common claim",
      source: "Table 1",
      reference: { points: resnet50.accuracy, printed: `${resnet50.accuracy} (K = 65,536, m = 0.999)` },
      family,
      question: {
        verdict: "not run at this scale",
        reason: "it takes ImageNet and a ResNet-50 at 224 px; moco estimate moco-v1-imagenet says what that costs",
      },
    },
    {
      id: "S2",
      statement: "SimCLR, with an 8 times larger batch and stronger augmentation, is 9 points ahead of MoCo.",
      by: "common claim",
      source: "MoCo v2, Table 2",
      reference: printed(69.3, resnet50.accuracy),
      family,
      question: {
        verdict: "not run at this scale",
        reason:
          "69.3 is of 1,000 epochs at batch 4,096, 60.6 of 200 at 256; the kit trains SimCLR as long as MoCo, at its batch " +
          "and at twice that (moco table mechanisms)",
      },
    },
    better("wider", "R50w2×", "MoCo learns better features with a network twice as wide."),
    better("resnext", "RX50", "MoCo learns better features with a ResNeXt-50 than with a ResNet-50."),
    {
      id: "longer",
      statement: "Four times as many epochs improve MoCo.",
      by: "paper",
      source: "MoCo v2, Table 1",
      reference: printed(publishedLengths.get(800), publishedLengths.get(200)),
      family,
      question: { estimand: linear("training-length", [length(800), length(200)]), test: difference },
    },
    {
      id: "linear-gap",
      statement: "By a linear probe, supervised training stays ahead of MoCo.",
      by: "paper",
      source: "Table 1; MoCo v2, Table 1",
      reference: printed(publishedOf("supervised"), publishedOf("MoCo")),
      family,
      question: { estimand: linear("linear-evaluation", ["supervised", "MoCo"]), test: difference },
    },
  ];
}

function linear(table: Extract<Estimand, { kind: "ablation" }>["table"], rows: readonly string[]): Estimand {
  return { kind: "ablation", table, metric: "linear", rows };
}
