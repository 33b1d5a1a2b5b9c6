/** Time per step, smoothed; adds up the time spent in the state of a training. */
export class Pace {
  private last = performance.now();
  private secondsPerStep: number | undefined;

  constructor(
    private readonly state: { seconds: number; readonly step: number },
    private readonly batchSize: number,
  ) {}

  tick(): void {
    const now = performance.now();
    const seconds = (now - this.last) / 1000;
    this.last = now;
    this.state.seconds += seconds;
    this.secondsPerStep = this.secondsPerStep === undefined ? seconds : 0.9 * this.secondsPerStep + 0.1 * seconds;
  }

  get imagesPerSecond(): number {
    return this.batchSize / (this.secondsPerStep ?? Infinity);
  }

  secondsLeft(totalSteps: number): number {
    return (totalSteps - this.state.step) * (this.secondsPerStep ?? 0);
  }
}
