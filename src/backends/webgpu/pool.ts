import type { DeviceError, ErrorDetail } from "../../core/errors.js";
import { wholeVectors } from "./constants.js";
import type { Context } from "./context.js";
import { outOfMemory } from "./errors.js";

/** Memory on the device: one GPUBuffer. */
export class Block {
  /** Of a buffer that the device could not make. */
  failure: DeviceError | undefined;
  /** Resolves when it is known whether the device could make it; undefined: it is. */
  made: Promise<void> | undefined;
  /** Keys of the bind groups that name it. */
  readonly groups = new Set<string>();
  /** Turn in which it was last given back. */
  idleSince = 0;

  constructor(
    readonly id: number,
    readonly gpu: GPUBuffer,
    readonly bytes: number,
  ) {}
}

/** Steps of an octave: a block is at most an eighth larger than what it was asked for, small ones a quarter. */
const smallest = 256;
const fineFrom = 2 ** 20;

/** Bytes of the block that holds `bytes`: few sizes, so that blocks serve again. */
export function sizeClass(bytes: number, limit: number): number {
  if (bytes <= smallest) return smallest;
  const octave = 2 ** Math.floor(Math.log2(bytes));
  const step = Math.max(smallest, octave / (bytes >= fineFrom ? 8 : 4));
  const rounded = Math.ceil(bytes / step) * step;
  return rounded <= limit ? rounded : wholeVectors(bytes);
}

let blocks = 0;

/**
 * GPUBuffers of one usage, used again by size class. What lies idle is at most `keepBytes`, or as much as is in use if that is
 * more (a step that does not donate holds its state twice for a moment); beyond that the longest idle ones are destroyed.
 */
export class Pool {
  private readonly idle = new Map<number, Block[]>();
  private turn = 0;
  idleBytes = 0;
  usedBytes = 0;

  constructor(
    private readonly context: Context,
    private readonly usage: number,
    private readonly options: {
      readonly label: string;
      readonly keepBytes: number;
      readonly onDestroy?: (block: Block) => void;
      /** Told that the device has no more memory: time to give back what is not needed. */
      readonly onFailure?: () => void;
    },
  ) {}

  take(bytes: number): Block {
    const size = sizeClass(bytes, this.context.device.limits.maxBufferSize);
    const block = this.idle.get(size)?.pop();
    this.usedBytes += size;
    if (!block) return this.create(size);
    this.idleBytes -= size;
    return block;
  }

  give(block: Block): void {
    this.usedBytes -= block.bytes;
    if (block.failure) return this.destroy(block);
    let stack = this.idle.get(block.bytes);
    if (!stack) this.idle.set(block.bytes, (stack = []));
    block.idleSince = ++this.turn;
    stack.push(block);
    this.idleBytes += block.bytes;
    this.trim(Math.max(this.options.keepBytes, this.usedBytes));
  }

  /** Destroys the longest idle blocks until at most `bytes` are idle. */
  trim(bytes: number): void {
    while (this.idleBytes > bytes) {
      let oldest: Block[] | undefined;
      for (const stack of this.idle.values()) {
        if (stack.length > 0 && (!oldest || stack[0]!.idleSince < oldest[0]!.idleSince)) oldest = stack;
      }
      const block = oldest!.shift()!;
      this.idleBytes -= block.bytes;
      this.destroy(block);
    }
  }

  held(): readonly ErrorDetail[] {
    return [
      ["in use", `${this.usedBytes} bytes`],
      ["idle", `${this.idleBytes} bytes`],
    ];
  }

  private create(size: number): Block {
    const { context, usage } = this;
    const { value: gpu, error } = context.scoped("out-of-memory", () =>
      context.device.createBuffer({ label: `${this.options.label} ${size}`, size, usage }),
    );
    context.counters.buffers++;
    const block = new Block(blocks++, gpu, size);
    block.made = error.then(
      (e) => {
        block.made = undefined;
        if (!e) return;
        block.failure = outOfMemory(size, this.held(), e);
        this.options.onFailure?.();
      },
      () => void (block.made = undefined),
    );
    return block;
  }

  private destroy(block: Block): void {
    this.options.onDestroy?.(block);
    block.gpu.destroy();
  }
}
