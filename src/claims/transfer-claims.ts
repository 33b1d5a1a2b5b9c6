import { figure3 } from "../paper/published-ablations";
import { publishedMomenta } from "../paper/published-ablations";
import type { Preset } from "../recipes/presets";
import { publishedCoco } from "../paper/published-coco";
import { publishedVoc, publishedVocMechanisms } from "../paper/published-detection";
import { publishedFigure, publishedPretrainings, type PublishedTable } from "../paper/published-table";
import { fpnTransferName, mocoLabel } from "../experiments/transfer/transfer";
import { highlighted, printed, type Claim, type ClaimTest, type ClaimText, type Estimand } from "./claim";

/** Claims that detectors answer: Tables 2, 3 and 5, and the ablations carried to detection. */
export function transferClaims(preset: Preset): Claim[] {
  return [...ofVoc(preset), ...ofVocMechanisms(preset), ...ofCoco(preset), ...ofAblations(preset)];
}

const { random, supervised, imageNet } = publishedPretrainings;
const [difference, atLeastAsGood] = [
  { kind: "difference" },
  { kind: "non-inferiority", margin: highlighted },
] as const satisfies readonly ClaimTest[];

/** What MoCo is compared with: the row of the kit, and that of the paper. */
type OtherRow = readonly [row: string, published: string];
const fromLabels: OtherRow = ["supervised", supervised];
const fromRandom: OtherRow = ["random", random];

/** Figures of VOC, as the paper names them. */
const vocMeasures = { ap50: "AP50", ap: "AP", ap75: "AP75" } as const;
type VocMeasure = keyof typeof vocMeasures;

function ofVoc({ name }: Preset): Claim[] {
  const claim = (
    text: Pick<ClaimText, "id" | "statement" | "by">,
    metric: VocMeasure,
    [row, published]: OtherRow,
    test: ClaimTest = difference,
  ): Claim => ({
    ...text,
    source: `Table 2b, ${vocMeasures[metric]}`,
    reference: ofTable(publishedVoc, "R50-C4", vocMeasures[metric], imageNet, published),
    family: "Table 2",
    question: { estimand: detectors(name, metric, row), test },
  });
  return [
    claim(
      {
        id: "D1",
        statement: "A gap as small as 0.2 AP50 between MoCo and supervised pre-training is more than chance.",
        by: "common doubt",
      },
      "ap50",
      fromLabels,
    ),
    claim(
      {
        id: "S3",
        statement: "On VOC detection MoCo beats supervised pre-training in AP (57.4 against 57.2).",
        by: "common claim",
      },
      "ap",
      fromLabels,
    ),
    claim(
      {
        id: "close-boxes",
        statement: "On VOC detection MoCo beats supervised pre-training where boxes must fit closely (AP75).",
        by: "paper",
      },
      "ap75",
      fromLabels,
    ),
    claim(
      {
        id: "S10-voc",
        statement: "The gap is closed on VOC detection: MoCo is at least as good as supervised pre-training.",
        by: "common claim",
      },
      "ap",
      fromLabels,
      atLeastAsGood,
    ),
    claim(
      { id: "voc-scratch", statement: "On VOC detection MoCo beats random weights.", by: "paper" },
      "ap",
      fromRandom,
    ),
  ];
}

function ofVocMechanisms({ name }: Preset): Claim[] {
  return (["end-to-end", "memory bank"] as const).flatMap((mechanism) =>
    (["ap50", "ap", "ap75"] as const).map((metric): Claim => ({
      id: `voc-${mechanism.replace(" ", "-")}-${metric}`,
      statement: `On VOC detection MoCo beats ${mechanism === "end-to-end" ? "end-to-end training" : "the memory bank"} in ${vocMeasures[metric]}.`,
      by: "paper",
      source: `Table 3, ${vocMeasures[metric]}`,
      reference: ofTable(publishedVocMechanisms, "R50-C4", vocMeasures[metric], "MoCo", mechanism),
      family: "Table 3",
      question: { estimand: detectors(name, metric, mechanism), test: difference },
    })),
  );
}

function ofCoco(preset: Preset): Claim[] {
  const table = fpnTransferName(preset.name);
  return (["boxes", "masks"] as const).flatMap((objects) => {
    const metric = objects === "boxes" ? "ap" : "maskAp";
    const claim = (
      text: Pick<ClaimText, "id" | "statement" | "by">,
      [row, published]: OtherRow,
      test: ClaimTest = difference,
    ): Claim => ({
      ...text,
      source: `Table 5a, AP of ${objects}`,
      reference: ofTable(publishedCoco, "R50-FPN, 1x", `AP, ${objects}`, imageNet, published),
      family: "Table 5",
      question: table
        ? { estimand: detectors(table, metric, row), test }
        : {
            verdict: "not run at this scale",
            reason: "detectors with an FPN are trained from encoders of preset quick",
          },
    });
    return [
      claim(
        {
          id: `S4-${objects}`,
          statement: `On COCO MoCo beats supervised pre-training in AP of ${objects}.`,
          by: "common claim",
        },
        fromLabels,
      ),
      claim(
        {
          id: `S10-${objects}`,
          statement: `The gap is closed on COCO: MoCo is at least as good as supervised pre-training in AP of ${objects}.`,
          by: "common claim",
        },
        fromLabels,
        atLeastAsGood,
      ),
      claim(
        {
          id: `coco-scratch-${objects}`,
          statement: `On COCO MoCo beats random weights in AP of ${objects}.`,
          by: "paper",
        },
        fromRandom,
      ),
    ];
  });
}

/** What the paper shows by linear probes, asked of detectors. */
function ofAblations(preset: Preset): Claim[] {
  const [smallest, largest] = [preset.queueSizes[0]!, preset.queueSizes.at(-1)!];
  // By the K of the paper that holds as many batches.
  const published = (queueSize: number) => figure3.moco.get((256 * queueSize) / preset.base.batchSize);
  const claim = (text: Omit<ClaimText, "by">, row: string): Claim => ({
    ...text,
    by: "common doubt",
    family: "ablations carried to detection",
    question: { estimand: detectors(preset.name, "ap", row), test: difference },
  });
  return [
    claim(
      {
        id: "D2-K",
        statement: "The ablation of K holds for detection: the largest queue beats the smallest in AP.",
        source: "Figure 3, by linear probe",
        reference: printed(published(largest), published(smallest)),
      },
      `MoCo, K = ${smallest}`,
    ),
    claim(
      {
        id: "D2-m",
        statement: "The ablation of m holds for detection: m = 0.99 beats m = 0.9 in AP.",
        source: "section 4.1, by linear probe",
        reference: printed(publishedMomenta.get(0.99), publishedMomenta.get(0.9)),
      },
      "MoCo, m = 0.9",
    ),
  ];
}

/** MoCo and another row. */
function detectors(
  table: Extract<Estimand, { kind: "transfer" }>["table"],
  metric: Extract<Estimand, { kind: "transfer" }>["metric"],
  row: string,
): Estimand {
  return { kind: "transfer", table, metric, rows: [mocoLabel, row] };
}

function ofTable(table: PublishedTable, column: string, measure: string, above: string, below: string) {
  const [first, second] = [above, below].map((row) => publishedFigure(table, { column, measure, row }));
  return printed(first, second);
}
