/** The kit's side of bench/step.ts: answers lines of JSON on stdin with lines on stdout, as step.py does. */
import { createInterface } from "node:readline";
import { tf } from "../src/engine/tf";
import { startMocoProgram } from "./moco-program";
import type { StepAnswer, StepRequest, StepShape } from "./step";

function startKit({ architecture, width, stem, batch, size, queue_size: queueSize, groups: bnGroups }: StepShape) {
  const encoder = { architecture, width, stem, head: "linear", dimension: 128 } as const;
  const moco = startMocoProgram({ encoder, queueSize, momentum: 0.99, temperature: 0.1, bnGroups }, batch, size);
  const query: tf.Tensor4D = tf.randomNormal([batch, size, size, 3]);
  const key = tf.tidy(() => tf.add<tf.Tensor4D>(query, tf.mul(tf.randomNormal([batch, size, size, 3]), 0.3)));
  return () => {
    const start = performance.now();
    moco.step(query, key, 0.03);
    return (performance.now() - start) / 1000;
  };
}

async function main(): Promise<void> {
  let step: (() => number) | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as StepRequest;
    let answer: StepAnswer;
    if ("configure" in request) {
      step = startKit(request.configure);
      for (let warmUp = 0; warmUp < request.configure.warm_up; warmUp++) step();
      answer = { ready: true };
    } else {
      const seconds = Array.from({ length: request.steps }, () => step!());
      answer = { seconds, peak: process.resourceUsage().maxRSS * 1024 };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

void main();
