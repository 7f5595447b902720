import type { Dispatch } from "./dispatch.js";

/** What one submit holds at most: drivers give up on devices that are busy for long. */
export interface SubmitCap {
  readonly dispatches: number;
  /** Operations, a byte moved counted as four. */
  readonly work: number;
}
export const defaultCap: SubmitCap = { dispatches: 1024, work: 2e11 };

const workOf = ({ cost }: Dispatch): number => cost.flops + 4 * (cost.loadBytes + cost.storeBytes);

/** Says where submits end. */
export class SubmitMeter {
  private count = 0;
  private work = 0;
  private isFull = false;

  constructor(private readonly cap: SubmitCap) {}

  /** Whether a dispatch has room; where nothing is, everything has. */
  fits(dispatch: Dispatch): boolean {
    if (this.count === 0) return true;
    return !this.isFull && this.count < this.cap.dispatches && this.work + workOf(dispatch) <= this.cap.work;
  }

  add(dispatch: Dispatch): void {
    this.count++;
    this.work += workOf(dispatch);
    this.isFull ||= dispatch.long ?? false;
  }

  /** Whether so much is counted. */
  holds({ dispatches, work }: SubmitCap): boolean {
    return this.count >= dispatches || this.work >= work;
  }

  reset(): void {
    this.count = 0;
    this.work = 0;
    this.isFull = false;
  }
}
