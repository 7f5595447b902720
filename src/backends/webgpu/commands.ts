import { invariant } from "../../core/errors.js";
import type { Context } from "./context.js";
import type { Dispatch } from "./dispatch.js";
import type { Block } from "./block.js";
import type { LaunchClock, Profiler } from "./profile.js";
import { type SubmitCap, SubmitMeter } from "./submits.js";

/** A dispatch with what it is bound to. */
export interface Bound {
  readonly dispatch: Dispatch;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  /** What the bind group names. */
  readonly blocks: readonly Block[];
  readonly control: { readonly group: GPUBindGroup; readonly offsets: readonly number[] } | undefined;
}

/** Who encodes. */
export interface Encoding {
  readonly name: string;
  readonly profiler: Profiler | undefined;
  /** Dispatches that one submit of it may hold. */
  readonly mostAtOnce: number;
}

/** What is asked of the device in one go: the device tells of its errors together. */
export class Batch {
  /** The first that the device refuses of it, null if nothing is; decided some time after it was handed over. */
  readonly refused: Promise<GPUError | null>;
  /** Whether there was no memory for the small blocks that were made meanwhile. */
  readonly lacked: Promise<GPUError | null>;
  /** The small blocks that were made meanwhile. */
  readonly blocks: Block[] = [];
  private decide!: (answer: Promise<GPUError | null>) => void;
  private decideMemory!: (answer: Promise<GPUError | null>) => void;

  constructor(private readonly context: Context) {
    const { device } = context;
    device.pushErrorScope("out-of-memory");
    device.pushErrorScope("validation");
    this.refused = new Promise((resolve) => (this.decide = resolve));
    this.lacked = new Promise((resolve) => (this.decideMemory = resolve));
    this.refused.catch(() => undefined);
    this.lacked.catch(() => undefined);
  }

  close(): void {
    const { context } = this;
    this.decide(context.guard(context.device.popErrorScope()));
    this.decideMemory(context.guard(context.device.popErrorScope()));
  }
}

/** A batch is handed over when a call ends with so much in it, so that the device has something to do. */
const enough: SubmitCap = { dispatches: 64, work: 2e8 };

/**
 * Encodes dispatches, those of several calls into one submit where they come in the same turn: a browser takes long over each
 * submit and each error scope, and the longer, the more of them are under way. Whatever else is put into the queue, or destroyed,
 * has to `flush` first, unless nothing encoded uses it.
 */
export class Commands {
  private batch: Batch | undefined;
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  private clock: LaunchClock | undefined;
  private last: GPUComputePipeline | undefined;
  private readonly meter: SubmitMeter;
  /** Counts what was handed over. */
  turn = 1;

  constructor(
    readonly context: Context,
    readonly cap: SubmitCap,
  ) {
    this.meter = new SubmitMeter(cap);
  }

  /** The batch that what is asked now belongs to. It is handed over at the end of JavaScript's turn at the latest. */
  open(): Batch {
    if (this.batch) return this.batch;
    invariant(this.context.openScopes === 0, "a batch begins in another error scope");
    const batch = new Batch(this.context);
    this.batch = batch;
    queueMicrotask(() => {
      if (this.batch === batch) this.flush();
    });
    return batch;
  }

  /** Hands over what is encoded if a dispatch has no room in the same submit, and says whether it had none. */
  makeRoom(dispatch: Dispatch): boolean {
    if (this.meter.fits(dispatch)) return false;
    this.flush();
    return true;
  }

  /** Adds a dispatch; the batch that it belongs to. */
  dispatch({ dispatch, pipeline, group, blocks, control }: Bound, { name, profiler, mostAtOnce }: Encoding): Batch {
    const batch = this.open();
    this.meter.add(dispatch);
    const { device, counters } = this.context;
    this.encoder ??= device.createCommandEncoder({ label: name });
    if (profiler) {
      this.clock ??= profiler.clock(name, mostAtOnce);
      this.pass = this.encoder.beginComputePass(this.clock.pass(dispatch));
      this.last = undefined;
    } else this.pass ??= this.encoder.beginComputePass({ label: name });
    const { pass } = this;
    if (pipeline !== this.last) pass.setPipeline((this.last = pipeline));
    pass.setBindGroup(0, group);
    if (control) pass.setBindGroup(1, control.group, control.offsets);
    pass.dispatchWorkgroups(...dispatch.workgroups);
    if (profiler) pass.end();
    for (const block of blocks) block.usedIn = this.turn;
    counters.dispatches++;
    counters.flops += dispatch.cost.flops;
    counters.loadBytes += dispatch.cost.loadBytes;
    counters.storeBytes += dispatch.cost.storeBytes;
    return batch;
  }

  /** Whether what is encoded, and not yet handed over, uses a block. */
  uses(block: Block): boolean {
    return block.usedIn === this.turn;
  }

  /** Hands over what is encoded if it is worth a submit. */
  callEnds(): void {
    if (this.meter.holds(enough)) this.flush();
  }

  /** Hands over what is encoded. */
  flush(): void {
    const { batch, encoder, clock, context } = this;
    if (!batch) return;
    invariant(context.openScopes === 0, "a batch ends in another error scope");
    this.batch = this.encoder = undefined;
    this.turn++;
    this.meter.reset();
    if (encoder) {
      if (clock) clock.end(encoder);
      else this.pass!.end();
      context.device.queue.submit([encoder.finish()]);
      clock?.read();
      context.counters.submits++;
      this.pass = this.clock = this.last = undefined;
    }
    batch.close();
  }
}
