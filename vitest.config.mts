import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // One process a file, one file at a time: libtensorflow uses all cores by itself.
    pool: "forks",
    fileParallelism: false,
    testTimeout: 60_000,
    coverage: { provider: "v8", include: ["src/**/*.ts"] },
  },
});
