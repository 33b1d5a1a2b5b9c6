import { defineConfig } from "vitest/config";

/** Tests that start the command line: they share the project's folder of runs, so they go one after the other. */
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
    coverage: { provider: "v8", include: ["src/**/*.ts"] },
    projects: [
      {
        extends: true,
        test: {
          name: "parts",
          include: ["test/**/*.test.ts"],
          exclude: [...wholeProgram, "test/browser/**"],
          // Two files at a time with a thread each: for small tensors that is faster than one with two.
          maxWorkers: 2,
          env: { TF_NUM_INTRAOP_THREADS: "1" },
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "program", include: wholeProgram, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
