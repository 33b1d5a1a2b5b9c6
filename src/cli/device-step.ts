/**
 * One recorded training step of a small MoCo from a fixed seed, on whatever device TensorFlow takes; writes the loss and the
 * gradient as 32-bit floats to the file named by the first argument. A process of its own, since the device is chosen
 * while the library loads.
 */
import { writeFileSync } from "node:fs";
import { createProgram } from "../engine/program";
import { randomStream, type Random } from "../engine/random";
import { tf } from "../engine/tf";
import { createMoco, mocoStep, type MocoInputs } from "../methods/moco";

// Small, because a ReLU input within rounding of 0 falls on either side of it: with 16 images of 32 pixels, two correct
// CPU implementations (oneDNN on and off) differed by up to 6e-3 in half of the seeds; with these sizes, by 5e-6 in all 40.
const batchSize = 8;
const imageSize = 16;

function main(file: string): void {
  const moco = createMoco(
    {
      encoder: { architecture: "resnet18", width: 8, stem: "cifar", head: "mlp", dimension: 128 },
      queueSize: batchSize,
      momentum: 0.99,
      temperature: 0.07,
      bnGroups: 2,
    },
    { encoder: randomStream(0, "encoder"), queue: randomStream(0, "queue") },
  );
  const views = randomStream(0, "views");
  const permutation = tf.tensor1d(randomStream(0, "shuffle").permutation(batchSize), "int32");
  const viewShape = { shape: [batchSize, imageSize, imageSize, 3] };
  const program = createProgram({
    step: {
      inputs: { queryView: viewShape, keyView: viewShape, permutation: { shape: [batchSize], dtype: "int32" } },
      compute: (inputs) => {
        const { loss, gradients } = mocoStep(moco, inputs as unknown as MocoInputs);
        return { loss, gradient: gradients[0]! };
      },
    },
  });
  const step = () => program.run("step", { queryView: randomImages(views), keyView: randomImages(views), permutation });
  // The queue starts with random keys, too easily told from images for a loss and a gradient of ordinary size; the
  // first step fills it with the keys of images.
  step();
  const before = program.copies;
  const { loss, gradient } = step();
  const values = new Float32Array(2 + gradient.size);
  values[0] = loss.dataSync()[0]!;
  values[1] = program.copies - before;
  values.set(gradient.dataSync(), 2);
  writeFileSync(file, values);
}

function randomImages(random: Random): tf.Tensor4D {
  const values = Float32Array.from({ length: batchSize * imageSize * imageSize * 3 }, () => random.normal());
  return tf.tensor4d(values, [batchSize, imageSize, imageSize, 3]);
}

main(process.argv[2]!);
