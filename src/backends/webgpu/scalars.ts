import { InternalError } from "../../core/errors.js";
import { type DeviceBuffer, isScalarInput, type ScalarInput } from "../../kernel-ir/backend.js";
import type { Block } from "./block.js";
import type { Commands } from "./commands.js";
import { bindingAlignment, usage } from "./constants.js";
import { Pool } from "./pool.js";

const slotWords = bindingAlignment / 4;
const firstSlots = 32;
const firstLanes = 8;
const mostLanes = 64;

/** Where the scalars of a call begin. */
export interface ScalarPlace {
  readonly block: Block;
  readonly offset: number;
}

/**
 * Where the scalars of calls lie: one buffer with a slot for the first scalar of a call, one for the second, and so on. The queue
 * keeps writes and submits in their order, so that every call may use the same slots, and its bind groups stay as they are. Calls
 * that share a submit have lanes of slots, unless their scalars are the same.
 */
export class ScalarSlots {
  private block: Block | undefined;
  private readonly pool: Pool;
  private slots = 0;
  private lanes = firstLanes;
  /** The lane that the last call of turn `turn` of the commands has; those before it are in use too. */
  private lane = -1;
  private turn = 0;
  /** What the buffer holds. */
  private words = new Int32Array(0);
  private readonly word = new Int32Array(1);
  private readonly float = new Float32Array(this.word.buffer);

  constructor(
    private readonly commands: Commands,
    onDestroy: (block: Block) => void,
  ) {
    this.pool = new Pool(commands, usage.storage | usage.copyTarget, { label: "scalars", keepBytes: 0, onDestroy });
  }

  get bytes(): number {
    return this.pool.usedBytes;
  }

  /** Writes the scalars among the inputs, in one go, if they differ from what is there; undefined without any. */
  write(inputs: readonly (DeviceBuffer | ScalarInput)[]): ScalarPlace | undefined {
    const scalars = inputs.filter(isScalarInput);
    if (scalars.length === 0) return undefined;
    if (scalars.length > this.slots || this.block?.failure) this.grow(scalars.length);
    const { commands } = this;
    if (this.turn !== commands.turn) this.lane = -1;
    if (this.lane < 0 || this.differ(this.lane, scalars)) {
      if (this.lane + 1 === this.lanes) this.moreLanes();
      this.put(++this.lane, scalars);
    }
    this.turn = commands.turn;
    return { block: this.block!, offset: this.lane * this.slots * bindingAlignment };
  }

  private differ(lane: number, scalars: readonly ScalarInput[]): boolean {
    return scalars.some((x, slot) => this.words[(lane * this.slots + slot) * slotWords] !== this.bits(x));
  }

  /** Nothing that is encoded uses the lane. */
  private put(lane: number, scalars: readonly ScalarInput[]): void {
    let [first, last] = [-1, -1];
    scalars.forEach((x, slot) => {
      const at = (lane * this.slots + slot) * slotWords;
      const bits = this.bits(x);
      if (this.words[at] === bits) return;
      this.words[at] = bits;
      if (first < 0) first = at;
      last = at;
    });
    if (first < 0) return;
    const { queue } = this.commands.context.device;
    queue.writeBuffer(this.block!.gpu, first * 4, this.words, first, last - first + 1);
  }

  private bits({ scalar, dtype }: ScalarInput): number {
    if (dtype === "float32") this.float[0] = scalar;
    else if (dtype === "int32" || dtype === "uint32" || dtype === "bool") this.word[0] = scalar;
    else throw new InternalError(`a scalar of ${dtype} on device "webgpu"`);
    return this.word[0]!;
  }

  private moreLanes(): void {
    if (this.lanes === mostLanes) {
      this.commands.flush();
      this.lane = -1;
      return;
    }
    this.lanes *= 2;
    this.grow(this.slots);
  }

  private grow(count: number): void {
    if (this.block) this.pool.give(this.block);
    this.pool.trim(0);
    if (count > this.slots) this.slots = Math.max(firstSlots, this.slots * 2, count);
    this.block = this.pool.take(this.lanes * this.slots * bindingAlignment);
    this.words = new Int32Array(this.lanes * this.slots * slotWords);
    this.lane = -1;
  }
}
