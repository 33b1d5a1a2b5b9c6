import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { progressBar } from "../../src/cli/progress-bar";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

/** What is printed of steps that take so many seconds. */
function printed(stepSeconds: readonly number[]): string[] {
  const stream = new PassThrough();
  const progress = progressBar(stream as unknown as NodeJS.WriteStream, ({ step }) => `step ${step}`);
  for (const [index, seconds] of stepSeconds.entries()) {
    vi.advanceTimersByTime(seconds * 1000);
    progress.show({ step: index + 1, totalSteps: stepSeconds.length });
  }
  progress.stop();
  return String(stream.read()).trimEnd().split("\n");
}

it("the progress of long steps says when a stop is answered", () => {
  // The first has no step before it to be timed by, and is recorded.
  expect(printed([30, 31, 32])).toEqual([
    "step 1",
    "step 2, a stop is answered after a step of 31 s",
    "step 3, a stop is answered after a step of 32 s",
  ]);
});

it("the progress of short steps does not, and comes every few seconds", () => {
  expect(printed([0, 1, 1, 1, 1, 1, 1])).toEqual(["step 1", "step 6", "step 7"]);
});
