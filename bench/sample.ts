import Benchmark from "benchmark";
import type { Prepared } from "./rows.js";

/**
 * Processor time instead of the time on the wall: what other processes take does not count, what the library's own threads
 * take does.
 */
function processorTime(since?: readonly [number, number]): [number, number] {
  const { user, system } = process.cpuUsage();
  const micros = user + system - (since ? since[0] * 1e6 + since[1] / 1e3 : 0);
  return [Math.floor(micros / 1e6), (micros % 1e6) * 1e3];
}

// Benchmark takes its clock from the `process` of its context.
const clocked = Object.create(process, { hrtime: { value: processorTime } }) as NodeJS.Process;
const ProcessorBenchmark = Benchmark.runInContext({ process: clocked }) as typeof Benchmark;

export type Clock = "processor" | "wall";

/** Takes samples of one problem, each the mean time of as many runs as fill `sampleMs`. */
export class Sampler {
  private count = 1;
  private readonly make: typeof Benchmark;

  constructor(
    private readonly prepared: Prepared,
    private readonly options: { readonly sampleMs: number; readonly once: boolean; readonly clock: Clock },
  ) {
    this.make = options.clock === "wall" ? Benchmark : ProcessorBenchmark;
  }

  /** Seconds of one run. */
  async sample(): Promise<number> {
    const { once, sampleMs } = this.options;
    const run = (): void | Promise<void> => this.prepared.run();
    return new Promise((resolve, reject) => {
      const timing = {
        initCount: this.count,
        minTime: once ? 1e-9 : sampleMs / 1000,
        minSamples: 1,
        maxTime: 0,
        onError: (event: { readonly target: Benchmark }) => reject(event.target.error),
        onComplete: (event: { readonly target: Benchmark }) => {
          const { stats, count } = event.target;
          // The next sample starts with what filled this one.
          this.count = Math.max(1, Math.floor(count * 0.9));
          resolve((stats.sample[stats.sample.length - 1] as number) / (this.prepared.part?.share ?? 1));
        },
      };
      const benchmark = this.asynchronous
        ? new this.make({
            ...timing,
            defer: true,
            fn: (deferred: Benchmark.Deferred) => {
              Promise.resolve(run()).then(() => deferred.resolve(), reject);
            },
          })
        : new this.make({ ...timing, fn: run });
      benchmark.run({ async: false });
    });
  }

  private asynchronous = false;

  /** Runs for a while, for the engine's optimising compiler to see it; two runs where every run is another problem. */
  async warmUp(ms: number): Promise<void> {
    const start = performance.now();
    for (let runs = 0; runs < 2 || (!this.options.once && performance.now() - start < ms); runs++) {
      const pending = this.prepared.run();
      if (pending === undefined) continue;
      this.asynchronous = true;
      await pending;
    }
  }
}
