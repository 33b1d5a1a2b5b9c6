import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { cpuFeatures, machineFacts, oneDnn, whyNoGpu } from "../../src/engine/device";
import { tf } from "../../src/engine/tf";

describe("machineFacts", () => {
  it("names the versions, the device and the space of this machine", () => {
    const facts = machineFacts();
    expect(facts.node).toBe(process.versions.node);
    expect(facts.tensorflow).toMatch(/^2\.\d+\.\d+/);
    expect(facts.device).toBe(facts.gpu.used ? facts.gpu.name : "CPU");
    expect(facts.cpu.cores).toBeGreaterThan(0);
    for (const { total, free } of [facts.memory, facts.disk]) {
      expect(free).toBeGreaterThan(0);
      expect(free).toBeLessThanOrEqual(total);
    }
  });

  it("allocates no tensors", () => {
    const before = tf.memory().numTensors;
    machineFacts();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("cpuFeatures", () => {
  it("picks the vector instructions out of Linux's list", () => {
    const text =
      "processor\t: 0\nflags\t\t: fpu sse4_2 fma avx2 avx512_vnni amx_tile avx\n\nprocessor\t: 1\nflags\t\t: fpu\n";
    expect(cpuFeatures(text)).toEqual(["amx_tile", "avx", "avx2", "avx512_vnni", "fma"]);
  });

  it("is empty where the system does not say", () => {
    expect(cpuFeatures("")).toEqual([]);
  });
});

describe("oneDnn", () => {
  it.each([undefined, "0", "1"])("agrees with TensorFlow's own log where TF_ENABLE_ONEDNN_OPTS is %s", (setting) => {
    const { stderr } = spawnSync(process.execPath, ["-e", 'require("@tensorflow/tfjs-node-gpu")'], {
      encoding: "utf8",
      env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: "0", TF_ENABLE_ONEDNN_OPTS: setting },
    });
    expect(stderr).toContain("cpu_feature_guard"); // the log is there
    expect(oneDnn(setting, machineFacts().cpu.features).on).toBe(stderr.includes("oneDNN custom operations are on"));
  });

  it("follows the environment variable before the CPU", () => {
    expect(oneDnn("0", ["amx_tile"])).toEqual({ on: false, reason: "TF_ENABLE_ONEDNN_OPTS=0" });
    expect(oneDnn("1", [])).toEqual({ on: true, reason: "TF_ENABLE_ONEDNN_OPTS=1" });
  });

  it("is on by default with the instructions of neural networks only", () => {
    expect(oneDnn(undefined, ["avx2", "avx512_vnni"]).on).toBe(true);
    expect(oneDnn(undefined, ["avx2", "avx512f"]).on).toBe(false);
  });
});

describe("whyNoGpu", () => {
  it("says what would have to change, the first obstacle first", () => {
    expect(whyNoGpu({ driver: false, cudaWheel: false, visible: undefined })).toContain("no NVIDIA driver");
    expect(whyNoGpu({ driver: true, cudaWheel: false, visible: undefined })).toContain("npm run setup -- --gpu");
    expect(whyNoGpu({ driver: true, cudaWheel: true, visible: "-1" })).toContain("CUDA_VISIBLE_DEVICES=-1");
    expect(whyNoGpu({ driver: true, cudaWheel: true, visible: undefined })).toContain("TF_CPP_MIN_LOG_LEVEL=0");
  });
});
