/** Milliseconds that the augmentation of one step takes: two views of a batch of 64 pictures of 32 px, the best of 40 calls. */
import { augment, drawAugmentation } from "../src/data/augment";
import { type AugmentationPolicy, cifar10Demo, mocoV1, mocoV2 } from "../src/data/augmentation-policy";
import { randomStream } from "../src/engine/random";
import { tf } from "../src/engine/tf";

const [batch, size, rounds] = [64, 32, 40];

function milliseconds(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function report(name: string, policy: AugmentationPolicy): void {
  const images: tf.Tensor4D = tf.randomUniform([2 * batch, size, size, 3]);
  const drawing: number[] = [];
  const whole: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const random = () => randomStream(0, "bench", round);
    drawing.push(milliseconds(() => drawAugmentation(policy, 2 * batch, size, random())));
    whole.push(
      milliseconds(() => augment(images, drawAugmentation(policy, 2 * batch, size, random()), size).dispose()),
    );
  }
  images.dispose();
  const median = whole.sort((a, b) => a - b)[rounds / 2]!;
  console.log(
    `${name}: best ${Math.min(...whole).toFixed(2)} ms, median ${median.toFixed(2)} ms` +
      ` (of which drawing the parameters ${Math.min(...drawing).toFixed(2)} ms)`,
  );
}

report("MoCo v1", mocoV1);
report("MoCo v2", mocoV2);
report("CIFAR-10 demo", cifar10Demo);
