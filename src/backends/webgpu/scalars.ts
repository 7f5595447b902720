import { InternalError } from "../../core/errors.js";
import { type DeviceBuffer, isScalarInput, type ScalarInput } from "../../kernel-ir/backend.js";
import { bindingAlignment, usage } from "./constants.js";
import type { Context } from "./context.js";
import { type Block, Pool } from "./pool.js";

const slotWords = bindingAlignment / 4;
const firstSlots = 32;

/**
 * Where the scalars of calls lie: one buffer with a slot for the first scalar of a call, one for the second, and so on. The queue
 * keeps writes and submits in their order, so that every call may use the same slots, and its bind groups stay as they are.
 */
export class ScalarSlots {
  private block: Block | undefined;
  private readonly pool: Pool;
  private slots = 0;
  /** What the buffer holds. */
  private words = new Int32Array(0);
  private floats = new Float32Array(0);

  constructor(
    private readonly context: Context,
    onDestroy: (block: Block) => void,
  ) {
    this.pool = new Pool(context, usage.storage | usage.copyTarget, { label: "scalars", keepBytes: 0, onDestroy });
  }

  get bytes(): number {
    return this.pool.usedBytes;
  }

  /** Writes the scalars among the inputs, in one go, if they differ from what is there; the block, undefined without any. */
  write(inputs: readonly (DeviceBuffer | ScalarInput)[]): Block | undefined {
    let count = 0;
    for (const x of inputs) if (isScalarInput(x)) count++;
    if (count === 0) return undefined;
    if (count > this.slots || this.block?.failure) this.grow(count);
    let slot = 0;
    let first = -1;
    let last = -1;
    for (const x of inputs) {
      if (!isScalarInput(x)) continue;
      if (this.put(slot * slotWords, x)) {
        if (first < 0) first = slot;
        last = slot;
      }
      slot++;
    }
    if (first >= 0) {
      const [from, to] = [first * slotWords, last * slotWords + 4];
      this.context.device.queue.writeBuffer(this.block!.gpu, from * 4, this.words, from, to - from);
    }
    return this.block;
  }

  /** Whether the word was another before. */
  private put(at: number, { scalar, dtype }: ScalarInput): boolean {
    const before = this.words[at]!;
    if (dtype === "float32") this.floats[at] = scalar;
    else if (dtype === "int32" || dtype === "uint32" || dtype === "bool") this.words[at] = scalar;
    else throw new InternalError(`a scalar of ${dtype} on device "webgpu"`);
    return this.words[at] !== before;
  }

  private grow(count: number): void {
    if (this.block) this.pool.give(this.block);
    this.pool.trim(0);
    this.slots = Math.max(firstSlots, this.slots * 2, count);
    this.block = this.pool.take(this.slots * bindingAlignment);
    const words = new Int32Array(this.slots * slotWords);
    this.words = words;
    this.floats = new Float32Array(words.buffer);
  }
}
