import type { ErrorDetail } from "../../core/errors.js";
import { Block, largeFrom } from "./block.js";
import type { Commands } from "./commands.js";
import { wholeVectors } from "./constants.js";
import { outOfMemory } from "./errors.js";

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
    private readonly commands: Commands,
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
    const size = sizeClass(bytes, this.commands.context.device.limits.maxBufferSize);
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
    const { commands, usage } = this;
    const { context } = commands;
    const descriptor = { label: `${this.options.label} ${size}`, size, usage };
    let block: Block;
    let lacked: Promise<GPUError | null>;
    if (size < largeFrom) {
      const batch = commands.open();
      block = new Block(blocks++, context.device.createBuffer(descriptor), size);
      batch.blocks.push(block);
      lacked = batch.lacked;
    } else {
      const { value, error } = context.scoped("out-of-memory", () => context.device.createBuffer(descriptor));
      block = new Block(blocks++, value, size);
      lacked = error;
    }
    context.counters.buffers++;
    block.made = lacked.then(
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
    if (this.commands.uses(block)) this.commands.flush();
    block.gpu.destroy();
  }
}
