import type { ProfiledLaunch } from "../../kernel-ir/backend.js";
import { mapForReading, usage } from "./constants.js";
import type { Context } from "./context.js";
import type { Dispatch } from "./dispatch.js";

/** Queries that one set holds at most. */
const maxQueries = 4096;

type Mutable = { -readonly [K in keyof ProfiledLaunch]: ProfiledLaunch[K] };

/** Times every dispatch in a pass of its own, where the device has timestamps. */
export class Profiler {
  private readonly launches: Mutable[] = [];
  private readonly open: Promise<void>[] = [];

  constructor(private readonly context: Context) {}

  clock(program: string, dispatches: number): LaunchClock {
    return new LaunchClock(this.context, program, dispatches, this.launches, this.open);
  }

  async result(): Promise<readonly ProfiledLaunch[]> {
    await Promise.all(this.open);
    return this.launches;
  }
}

/** The clock of one submit. */
export class LaunchClock {
  private readonly first: number;
  private readonly queries: GPUQuerySet | undefined;
  private readonly resolved: GPUBuffer | undefined;
  private readonly staging: GPUBuffer | undefined;
  private timed = 0;

  constructor(
    private readonly context: Context,
    private readonly program: string,
    dispatches: number,
    private readonly launches: Mutable[],
    private readonly open: Promise<void>[],
  ) {
    this.first = launches.length;
    const { device } = context;
    if (!device.features.has("timestamp-query")) return;
    const count = Math.min(maxQueries, dispatches * 2);
    this.queries = device.createQuerySet({ type: "timestamp", count });
    this.resolved = device.createBuffer({ size: count * 8, usage: usage.queryResolve | usage.copySource });
    this.staging = device.createBuffer({ size: count * 8, usage: usage.mapRead | usage.copyTarget });
  }

  /** The pass of the next dispatch. */
  pass({ label, cost }: Dispatch): GPUComputePassDescriptor {
    const at = this.launches.length - this.first;
    const bytes = cost.loadBytes + cost.storeBytes;
    this.launches.push({ program: this.program, kernel: label, nanoseconds: undefined, flops: cost.flops, bytes });
    if (!this.queries || at * 2 + 2 > this.queries.count) return { label };
    this.timed = at + 1;
    const timestampWrites = {
      querySet: this.queries,
      beginningOfPassWriteIndex: 2 * at,
      endOfPassWriteIndex: 2 * at + 1,
    };
    return { label, timestampWrites };
  }

  end(encoder: GPUCommandEncoder): void {
    if (!this.queries || this.timed === 0) return;
    encoder.resolveQuerySet(this.queries, 0, 2 * this.timed, this.resolved!, 0);
    encoder.copyBufferToBuffer(this.resolved!, 0, this.staging!, 0, 16 * this.timed);
  }

  /** After the submit: what the clock says comes later. */
  read(): void {
    if (!this.queries) return;
    const done = this.context.guard(this.staging!.mapAsync(mapForReading)).then(
      () => {
        const times = new BigUint64Array(this.staging!.getMappedRange());
        for (let k = 0; k < this.timed; k++) {
          this.launches[this.first + k]!.nanoseconds = Number(times[2 * k + 1]! - times[2 * k]!);
        }
      },
      // Without times then: the device is lost, or refused the call, which its results say.
      () => undefined,
    );
    this.open.push(done.finally(() => this.destroy()));
  }

  private destroy(): void {
    this.staging!.destroy();
    this.resolved!.destroy();
    this.queries!.destroy();
  }
}
