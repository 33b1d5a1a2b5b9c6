import { defineConfig } from "vitest/config";

/** Tests that start the command line or the kernel: processes with threads of their own. */
const wholeProgram = [
  "test/cli/**/*.test.ts",
  "test/kernel/**/*.test.ts",
  "test/setup/**/*.test.ts",
  "test/faults/**/*.test.ts",
  "test/experiments/studies/notebook.test.ts",
];

export default defineConfig({
  test: {
    pool: "forks",
    testTimeout: 60_000,
    // Two files at a time with a thread each: for small tensors that is faster than one with two.
    maxWorkers: 2,
    env: { TF_NUM_INTRAOP_THREADS: "1" },
    coverage: { provider: "v8", include: ["src/**/*.ts"] },
    projects: [
      {
        extends: true,
        test: {
          name: "parts",
          // Files share their worker's modules: importing them anew for each file took a minute of two cores. None mocks a module.
          isolate: false,
          include: ["test/**/*.test.ts"],
          exclude: [...wholeProgram, "test/browser/**"],
        },
      },
      { extends: true, test: { name: "program", include: wholeProgram, setupFiles: ["test/own-runs.ts"] } },
    ],
  },
});
