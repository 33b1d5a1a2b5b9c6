import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statfsSync } from "node:fs";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { join } from "node:path";
import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend";
import { tf } from "./tf";

/** What a run's numbers and times depend on, of the machine and of the engine. */
export interface MachineFacts {
  /** Version of Node, "20.19.0". */
  readonly node: string;
  /** Operating system and processor family, "linux x64". */
  readonly platform: string;
  /** Version of the TensorFlow library in use, "2.21.0". */
  readonly tensorflow: string;
  /** Where TensorFlow computes: "CPU", or the name of the GPU. */
  readonly device: string;
  readonly cpu: CpuFacts;
  readonly gpu: GpuFacts;
  readonly memory: Space;
  /** Of the folder that the kit works in. */
  readonly disk: Space;
}

export interface CpuFacts {
  /** "AMD EPYC 9354"; "unknown" where the system does not say. */
  readonly model: string;
  /** Cores that this process may use. */
  readonly cores: number;
  /** Instructions that TensorFlow's speed depends on, as Linux names them; empty where the system does not say. */
  readonly features: readonly string[];
  readonly oneDnn: OneDnn;
}

/** Whether TensorFlow uses oneDNN's kernels on the CPU, and why. */
export interface OneDnn {
  readonly on: boolean;
  readonly reason: string;
}

/** The GPU in use, or why none is. */
export type GpuFacts =
  | { readonly used: true; readonly name: string; readonly driver: string }
  | { readonly used: false; readonly reason: string };

/** In bytes. */
export interface Space {
  readonly total: number;
  readonly free: number;
}

/** Looks at the machine and the engine. Loads TensorFlow if nothing has yet. */
export function machineFacts(folder = process.cwd()): MachineFacts {
  const backend = tf.backend() as NodeJSKernelBackend;
  const features = cpuFeatures(readText("/proc/cpuinfo"));
  const gpu = gpuFacts(backend.isUsingGpuDevice);
  const disk = statfsSync(folder);
  return {
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    tensorflow: backend.binding.TF_Version,
    device: gpu.used ? gpu.name : "CPU",
    cpu: {
      model: cpus()[0]?.model.trim() ?? "unknown",
      cores: availableParallelism(),
      features,
      oneDnn: oneDnn(process.env["TF_ENABLE_ONEDNN_OPTS"], features),
    },
    gpu,
    memory: memory(),
    disk: { total: disk.blocks * disk.bsize, free: disk.bavail * disk.bsize },
  };
}

// Those that TensorFlow's kernels and oneDNN choose by.
const namedFeatures = new Set(
  "avx avx2 avx512f avx512_vnni avx512_bf16 avx512_fp16 avx_vnni amx_tile amx_int8 amx_bf16 fma".split(" "),
);

/** The vector and matrix instructions in the text of Linux's /proc/cpuinfo, sorted. */
export function cpuFeatures(cpuinfo: string): string[] {
  const line = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1] ?? "";
  return line
    .split(/\s+/)
    .filter((feature) => namedFeatures.has(feature))
    .sort();
}

// TensorFlow's rule on Linux x64 (`IsMKLEnabled` in tsl/util): on by default where the CPU has one of these.
const oneDnnFeatures = ["avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16"];

/**
 * Whether TensorFlow uses oneDNN, by its own rule: the library has no function that tells.
 *
 * @param setting - the environment variable TF_ENABLE_ONEDNN_OPTS, which goes before the CPU's features
 * @param features - those of {@link cpuFeatures}
 */
export function oneDnn(setting: string | undefined, features: readonly string[]): OneDnn {
  const value = setting?.toLowerCase();
  if (value === "0" || value === "false") return { on: false, reason: `TF_ENABLE_ONEDNN_OPTS=${setting}` };
  if (value === "1" || value === "true") return { on: true, reason: `TF_ENABLE_ONEDNN_OPTS=${setting}` };
  const feature = oneDnnFeatures.find((name) => features.includes(name));
  if (feature !== undefined) return { on: true, reason: `by default, the CPU has ${feature}` };
  return { on: false, reason: "by default, the CPU has no VNNI, BF16 or AMX instructions" };
}

function gpuFacts(used: boolean): GpuFacts {
  const driver = nvidiaDriver();
  if (used) return { used, name: driver?.gpus ?? "NVIDIA GPU", driver: driver?.version ?? "unknown" };
  return {
    used,
    reason: whyNoGpu({
      visible: process.env["CUDA_VISIBLE_DEVICES"],
      driver: driver !== undefined,
      cudaWheel: hasCudaWheel(),
    }),
  };
}

/** What NVIDIA's driver says of itself; undefined where there is none. */
function nvidiaDriver(): { version: string; gpus: string } | undefined {
  const query = ["--query-gpu=driver_version,name", "--format=csv,noheader"];
  const { status, stdout } = spawnSync("nvidia-smi", query, { encoding: "utf8", timeout: 20_000 });
  if (status !== 0) return undefined;
  const rows = stdout
    .trim()
    .split("\n")
    .map((row) => row.split(", "));
  // Which of several TensorFlow took, it does not say.
  const names = new Set(rows.map(([, name]) => name));
  return { version: rows[0]![0]!, gpus: [...names].join(" or ") };
}

/** What {@link whyNoGpu} goes by. */
export interface GpuClues {
  /** The environment variable CUDA_VISIBLE_DEVICES. */
  readonly visible: string | undefined;
  /** Whether NVIDIA's driver answers. */
  readonly driver: boolean;
  /** Whether the set-up installed TensorFlow with CUDA. */
  readonly cudaWheel: boolean;
}

/** Why TensorFlow computes on the CPU, and what would change that. */
export function whyNoGpu({ visible, driver, cudaWheel }: GpuClues): string {
  if (!driver) return "no NVIDIA driver on this machine (nvidia-smi does not answer)";
  if (!cudaWheel) return "TensorFlow here is the one for the CPU; for the GPU run: npm run setup -- --gpu";
  if (visible === "" || visible === "-1") return `hidden by CUDA_VISIBLE_DEVICES=${visible}`;
  return "TensorFlow found none that it can use; for its messages run: TF_CPP_MIN_LOG_LEVEL=0 npx moco doctor";
}

/** The set-up's stamp says which TensorFlow it installed. */
function hasCudaWheel(): boolean {
  const stamp = readText(join(__dirname, "../..", ".setup-stamp.json"));
  return /"gpu":\s*true/.test(stamp);
}

function memory(): Space {
  // In a container, what it may use. Node gives 0 or a number beyond all memory where there is no limit.
  const limit = process.constrainedMemory();
  const total = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return { total, free: Math.min(freemem(), total) };
}

/** A file's text; empty where there is no such file. */
function readText(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}
