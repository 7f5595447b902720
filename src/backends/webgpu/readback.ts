import type { TypedArray } from "../../core/dtype.js";
import { mapForReading, usage } from "./constants.js";
import type { Commands } from "./commands.js";
import { Pool } from "./pool.js";

/** Bytes of staging memory that are kept while nothing is read. */
const keepBytes = 16 * 2 ** 20;
/** Between two nudges, in milliseconds. */
const nudgeEvery = 1;

/** Brings elements to the host, through staging memory that is used again. Later work does not wait for it. */
export class Readback {
  private readonly pool: Pool;
  /** Firefox looks for finished maps only every 100 ms, unless something is submitted. */
  private readonly nudges =
    typeof navigator !== "undefined" && typeof navigator.userAgent === "string" && /firefox/i.test(navigator.userAgent);
  private open = 0;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly commands: Commands) {
    this.pool = new Pool(commands, usage.mapRead | usage.copyTarget, { label: "staging", keepBytes });
  }

  get bytes(): number {
    return this.pool.usedBytes + this.pool.idleBytes;
  }

  /**
   * Begins to copy the first bytes of a buffer (or those from `offset` on); the promise resolves when `into` holds them. It rejects with an error of the map,
   * or gives that of the copy.
   */
  async read(source: GPUBuffer, into: TypedArray, offset = 0): Promise<GPUError | null> {
    const { context } = this.commands;
    const { device } = context;
    const bytes = into.byteLength;
    const staging = this.pool.take(bytes);
    this.commands.flush();
    const { error } = context.scoped("validation", () => {
      const encoder = device.createCommandEncoder({ label: "read" });
      encoder.copyBufferToBuffer(source, offset, staging.gpu, 0, bytes);
      device.queue.submit([encoder.finish()]);
    });
    this.nudge(1);
    try {
      const mapped = context.guard(staging.gpu.mapAsync(mapForReading, 0, bytes));
      mapped.catch(() => undefined);
      const refused = await error;
      if (!refused) {
        await mapped;
        new Uint8Array(into.buffer, into.byteOffset, bytes).set(new Uint8Array(staging.gpu.getMappedRange(0, bytes)));
      } else await mapped.catch(() => undefined);
      staging.gpu.unmap();
      this.pool.give(staging);
      return refused;
    } finally {
      this.nudge(-1);
    }
  }

  private nudge(opened: number): void {
    this.open += opened;
    if (!this.nudges) return;
    if (this.open === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    } else this.timer ??= setInterval(() => this.commands.context.device.queue.submit([]), nudgeEvery);
  }
}
