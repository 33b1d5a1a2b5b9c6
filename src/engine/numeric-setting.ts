import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend";
import { z } from "zod";
import { cpuFeatures, oneDnn } from "./device";
import { sessionsHaveOwnThreads } from "./session-threads";
import { tf } from "./tf";

export const numericSettingSchema = z.object({
  tensorflow: z.string(),
  device: z.enum(["CPU", "GPU"]),
  /** Threads that one operation is spread over: sums come in another order. */
  threads: z.number().int(),
  /** Whether sessions whose operations are small use fewer (session-threads.ts). */
  ownThreads: z.boolean().default(false),
  oneDnn: z.boolean(),
  /** Vector instructions of the processor, by which kernels are chosen. */
  instructions: z.string(),
});

/** All that changes the bits of a training besides its recipe, its data and its seed. docs/reliability.md has by how much. */
export type NumericSetting = Readonly<z.infer<typeof numericSettingSchema>>;

/** The setting of this process. Loads TensorFlow if nothing has yet. */
export function numericSetting(): NumericSetting {
  const backend = tf.backend() as NodeJSKernelBackend;
  const features = cpuFeatures(existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "");
  return {
    tensorflow: backend.binding.TF_Version,
    device: backend.isUsingGpuDevice ? "GPU" : "CPU",
    // TensorFlow takes 0 for a thread for each core.
    threads: Number(process.env["TF_NUM_INTRAOP_THREADS"]) || availableParallelism(),
    ownThreads: sessionsHaveOwnThreads(),
    oneDnn: oneDnn(process.env["TF_ENABLE_ONEDNN_OPTS"], features).on,
    instructions: features.join(" "),
  };
}

/** How a setting differs from this process's, in words; undefined if it does not. */
export function describeOtherSetting(before: NumericSetting): string | undefined {
  const now = numericSetting();
  const names = Object.keys(now) as (keyof NumericSetting)[];
  const different = names.filter((name) => now[name] !== before[name]);
  if (different.length === 0) return undefined;
  return different.map((name) => `${name} ${now[name] || "none"}, was ${before[name] || "none"}`).join("; ");
}
