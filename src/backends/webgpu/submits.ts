import type { Dispatch } from "./dispatch.js";

/** What one submit holds at most: drivers give up on devices that are busy for long. */
export interface SubmitCap {
  readonly dispatches: number;
  /** Operations, a byte moved counted as four. */
  readonly work: number;
}
export const defaultCap: SubmitCap = { dispatches: 1024, work: 2e11 };

/** Says where submits end. */
export class SubmitMeter {
  private count = 0;
  private work = 0;
  private isFull = false;

  constructor(private readonly cap: SubmitCap) {}

  /** Whether a dispatch begins another submit; it is counted. */
  breaksBefore({ cost, long = false }: Dispatch): boolean {
    const more = cost.flops + 4 * (cost.loadBytes + cost.storeBytes);
    const full = this.isFull || this.count + 1 > this.cap.dispatches || this.work + more > this.cap.work;
    const breaks = this.count > 0 && full;
    if (breaks) this.reset();
    this.count++;
    this.work += more;
    this.isFull ||= long;
    return breaks;
  }

  reset(): void {
    this.count = 0;
    this.work = 0;
    this.isFull = false;
  }
}
