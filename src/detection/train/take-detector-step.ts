import { DivergedError } from "../../errors";
import { createProgram, runOpByOp, type Program } from "../../engine/program";
import type { Random } from "../../engine/random";
import type { NamedTensors, TensorFunction } from "../../engine/tensor-function";
import { tf } from "../../engine/tf";
import { Variable } from "../../engine/variable";
import type { DetectionRecipe } from "../detection-recipe";
import { batchLayout, type BatchShape } from "../model/batch-layout";
import {
  detectorStep,
  mapLosses,
  stepDecisions,
  stepPauses,
  type DetectorLosses,
  type TrainingBatch,
} from "../model/faster-rcnn";
import type { DetectorOnBatch } from "../model/roi-heads";
import { detectorWeightDecay, type DetectorTraining } from "./detector-training";

/**
 * The step of the training of a detector: the gradient of the losses, applied by the optimizer.
 *
 * Batches of some shapes take a recorded step: all of them are recorded at the first batch of one, as one program, so that what
 * they change stays in one session. Others run operation by operation. Which, must not depend on what was trained before: the
 * two differ by rounding. Owns the session: call `dispose`; the detector and the optimizer stay their owner's.
 */
export class DetectorTrainingStep {
  private program: Program<Readonly<Record<string, TensorFunction>>> | undefined;
  private readonly functions = new Map<string, { readonly on: DetectorOnBatch; readonly step: TensorFunction }>();
  private readonly weightDecay: Variable<tf.Tensor1D>;
  private readonly recorded: ReadonlySet<string>;

  /** @param recorded - shapes whose steps are recorded */
  constructor(
    private readonly training: Pick<DetectorTraining, "detector" | "optimizer">,
    private readonly options: Pick<DetectionRecipe, "momentum" | "weightDecay">,
    recorded: readonly BatchShape[],
  ) {
    this.weightDecay = new Variable("the weight decay", detectorWeightDecay(training.detector, options.weightDecay));
    this.recorded = new Set(recorded.map((shape) => this.functionFor(shape).name));
  }

  /**
   * Takes one step; does not count it. The batch's images are disposed.
   *
   * @param random - draws the anchors and regions that take part
   * @param step - its number, from 1; for messages
   * @throws DivergedError if a loss is no longer a number, a region is not finite, or none is left to learn from
   */
  take(batch: TrainingBatch, random: Random, learningRate: number, step: number): DetectorLosses<number> {
    const inputs = { images: batch.images, learningRate: tf.scalar(learningRate) };
    try {
      const { name, on, step: one } = this.functionFor(batch.images.shape);
      const decisions = stepDecisions(on, batch, random);
      const outputs = this.recorded.has(name)
        ? this.recordedProgram().run(name, inputs, decisions)
        : runOpByOp(one, inputs, decisions);
      const losses = mapLosses(outputs as unknown as DetectorLosses<tf.Scalar>, (loss) => loss.dataSync()[0]!);
      tf.dispose({ ...outputs });
      const wrong = Object.entries(losses).find(([, loss]) => !Number.isFinite(loss));
      if (wrong) {
        throw new DivergedError(
          `Training diverged: the ${wrong[0]} loss of step ${step} is ${wrong[1]}, at a learning rate of ` +
            Number(learningRate.toPrecision(3)),
        );
      }
      return losses;
    } finally {
      tf.dispose(inputs);
    }
  }

  dispose(): void {
    this.program?.dispose();
    this.weightDecay.dispose();
  }

  private recordedProgram(): Program<Readonly<Record<string, TensorFunction>>> {
    this.program ??= createProgram(
      Object.fromEntries([...this.recorded].map((name) => [name, this.functions.get(name)!.step])),
      { atOnce: 2 },
    );
    return this.program;
  }

  private functionFor(shape: BatchShape) {
    const name = shape.join("x");
    let known = this.functions.get(name);
    if (known === undefined) {
      const { detector } = this.training;
      const on = { detector, layout: batchLayout(detector.config, shape, "training") };
      this.functions.set(name, (known = { on, step: this.stepFunction(on) }));
    }
    return { name, ...known };
  }

  private stepFunction(on: DetectorOnBatch): TensorFunction {
    return {
      inputs: { images: { shape: on.layout.images }, learningRate: { shape: [] } },
      pauses: stepPauses(on),
      compute: ({ images, learningRate }, pause) => {
        const { losses, gradient } = detectorStep(on, images as tf.Tensor4D, pause);
        this.training.optimizer.apply(on.detector.parameters, gradient, {
          learningRate: learningRate as tf.Scalar,
          momentum: this.options.momentum,
          weightDecay: this.weightDecay.value,
        });
        return losses as unknown as NamedTensors;
      },
    };
  }
}
