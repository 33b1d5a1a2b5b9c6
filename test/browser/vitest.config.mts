import { defineConfig } from "vitest/config";

/** Tests in a real JupyterLab in Chromium: `npm run test:browser`. They are no part of `npm test`, which needs no browser. */
export default defineConfig({
  test: {
    include: ["test/browser/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 180_000,
  },
});
