import type { TypedArray } from "../../core/dtype.js";
import { invariant, type TsaxError } from "../../core/errors.js";
import type { WebgpuBuffer } from "./buffer.js";
import type { WebgpuDevice } from "./device.js";
import { workRefused } from "./errors.js";
import { Fate } from "./fate.js";
import type { Block } from "./block.js";
import { asTsaxError, type Entry } from "./stream.js";

/** What a refused transfer means: most likely that its block could not be made. */
async function refusal(what: string, error: GPUError, block: Block): Promise<TsaxError> {
  await block.made;
  return block.failure ?? workRefused(what, error.message, []);
}

/** Copies host data to a buffer. */
export class Write implements Entry {
  constructor(
    private readonly device: WebgpuDevice,
    private readonly buffer: WebgpuBuffer,
    private readonly data: TypedArray,
  ) {}

  waits(): undefined {}

  execute(): void {
    const { device, buffer, data } = this;
    device.context.check();
    const block = device.materialise(buffer);
    if (data.byteLength === 0) return;
    const { commands } = device;
    if (block.doubtful || commands.uses(block)) commands.flush();
    const { refused } = commands.open();
    device.context.device.queue.writeBuffer(block.gpu, 0, data.buffer, data.byteOffset, data.byteLength);
    if (block.doubtful) commands.flush();
    buffer.fate = Fate.of(refused.then((e) => (e ? refusal("a write", e, block) : undefined), asTsaxError));
  }

  fail(error: TsaxError): void {
    this.buffer.fate = Fate.failed(error);
  }
}

/** Copies a buffer to the host. */
export class Read implements Entry {
  constructor(
    private readonly device: WebgpuDevice,
    private readonly buffer: WebgpuBuffer,
    private readonly into: TypedArray,
    private readonly resolve: () => void,
    private readonly reject: (error: TsaxError) => void,
  ) {}

  waits(): undefined {}

  execute(): void {
    const { device, buffer, into } = this;
    device.context.check();
    invariant(into.byteLength <= buffer.bytes, `a read of ${into.byteLength} bytes of ${buffer.bytes}`);
    if (buffer.fate?.error) return this.reject(buffer.fate.error);
    if (into.byteLength === 0) return this.resolve();
    const block = device.materialise(buffer);
    this.finish(block, buffer.fate).then(this.resolve, (e: unknown) =>
      this.reject(device.context.lost ?? asTsaxError(e)),
    );
  }

  private async finish(block: Block, fate: Fate | undefined): Promise<void> {
    const refused = await this.device.readback.read(block.gpu, this.into);
    await fate?.settled;
    if (fate?.error) throw fate.error;
    if (refused) throw await refusal("a read", refused, block);
    const stray = this.device.context.takeStray();
    if (stray) throw stray;
  }

  fail(error: TsaxError): void {
    this.reject(error);
  }
}

/** Waits for everything before it, and tells of the first of some buffers that failed. */
export class Settle implements Entry {
  constructor(
    private readonly device: WebgpuDevice,
    private readonly buffers: readonly WebgpuBuffer[],
    private readonly resolve: () => void,
    private readonly reject: (error: TsaxError) => void,
  ) {}

  waits(): undefined {}

  execute(): void {
    const { context } = this.device;
    context.check();
    this.finish(this.buffers.map((b) => b.fate)).then(this.resolve, (e: unknown) =>
      this.reject(context.lost ?? asTsaxError(e)),
    );
  }

  private async finish(fates: readonly (Fate | undefined)[]): Promise<void> {
    const { context, commands } = this.device;
    commands.flush();
    await context.guard(context.device.queue.onSubmittedWorkDone());
    for (const fate of fates) {
      await fate?.settled;
      if (fate?.error) throw fate.error;
    }
    const stray = context.takeStray();
    if (stray) throw stray;
  }

  fail(error: TsaxError): void {
    this.reject(error);
  }
}

/** Gives a buffer's block back to those that come later. */
export class Free implements Entry {
  constructor(
    private readonly device: WebgpuDevice,
    private readonly buffer: WebgpuBuffer,
  ) {}

  waits(): undefined {}

  execute(): void {
    this.device.release(this.buffer);
  }

  fail(): void {}
}
