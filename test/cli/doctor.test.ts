import { afterEach, describe, expect, it, vi } from "vitest";
import { describeFacts, doctorCommand } from "../../src/cli/doctor";
import { machineFacts, type MachineFacts } from "../../src/engine/device";
import { moco } from "./moco";

const facts: MachineFacts = {
  node: "20.19.0",
  platform: "linux x64",
  tensorflow: "2.21.0",
  device: "CPU",
  cpu: {
    model: "Some CPU",
    cores: 2,
    features: ["avx2", "fma"],
    oneDnn: { on: false, reason: "TF_ENABLE_ONEDNN_OPTS=0" },
  },
  gpu: { used: false, reason: "no NVIDIA driver on this machine" },
  memory: { total: 16e9, free: 8e9 },
  disk: { total: 100e9, free: 50e9 },
};

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

describe("a command that loads TensorFlow", () => {
  it("keeps the library's information lines off stderr", async () => {
    const { code, stderr } = await moco("doctor", "--json");
    expect([code, stderr]).toEqual([0, ""]);
  });
});

describe("describeFacts", () => {
  it("says what is there, and why the GPU and a data set are not", () => {
    const text = describeFacts(facts, [
      { name: "emoji", found: true, detail: "emoji-datasource-google 16.0.0" },
      { name: "cifar10", found: false, detail: "data/cifar-10 lacks data_batch_1.bin" },
    ]);
    expect(text.split("\n").map((line) => line.replace(/ {2,}/g, ": "))).toEqual([
      "Node: 20.19.0 (linux x64)",
      "TensorFlow: 2.21.0",
      "device: CPU",
      "CPU: Some CPU, 2 cores",
      "CPU features: avx2 fma",
      "oneDNN: off, TF_ENABLE_ONEDNN_OPTS=0",
      "GPU: none: no NVIDIA driver on this machine",
      "memory: 8.0 GB of 16.0 GB free",
      "disk: 50.0 GB of 100.0 GB free",
      "data emoji: emoji-datasource-google 16.0.0",
      "data cifar10: not found: data/cifar-10 lacks data_batch_1.bin",
    ]);
  });
});

describe("moco doctor", () => {
  it("prints the facts as JSON", async () => {
    const log = vi.spyOn(console, "log").mockReturnValue();
    await doctorCommand().parseAsync(["--json"], { from: "user" });
    const printed = JSON.parse(log.mock.calls[0]![0] as string) as MachineFacts & { dataSets: { name: string }[] };
    expect(printed.tensorflow).toBe(machineFacts().tensorflow);
    expect(printed.dataSets.map(({ name }) => name)).toEqual(expect.arrayContaining(["emoji", "cifar10"]));
  });

  const { gpu } = machineFacts();
  it.skipIf(gpu.used)("fails with the reason where there is no GPU to check", async () => {
    vi.spyOn(console, "log").mockReturnValue();
    const error = vi.spyOn(console, "error").mockReturnValue();
    await doctorCommand().parseAsync(["--gpu"], { from: "user" });
    expect(process.exitCode).toBe(1);
    expect(error.mock.calls[0]![0]).toBe(`Cannot check the GPU: none is in use, ${gpu.used ? "" : gpu.reason}`);
  });
});
