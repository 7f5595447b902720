import type { ConcreteArray } from "../core/array.js";
import { type DType, dtypeInfo, type TypedArray } from "../core/dtype.js";
import type { Heap, Residence, Slot } from "./heap.js";
import { type Device, RuntimeStorage, type Standing } from "./storage.js";

/** A device whose arrays lie in a heap, as they see it. */
export interface StorageOwner extends Device {
  readonly heap: Heap;
  /** Fills `into` with the elements of a slot. @throws DeviceError `async-read`. */
  readSync(of: Slot, into: TypedArray): TypedArray;
  read(of: Slot, into: TypedArray): Promise<TypedArray>;
  settled(of?: Slot): Promise<void>;
}

/** Elements on a device that compiles. */
export class DeviceStorage extends RuntimeStorage {
  constructor(
    override readonly owner: StorageOwner,
    protected held: Slot | undefined,
    private readonly dtype: DType,
    private readonly words: number,
    readonly standing: Standing,
  ) {
    super();
  }
  get synchronous(): boolean {
    return this.owner.synchronous;
  }
  /** Where its elements lie; undefined: nowhere (any more). */
  get residence(): Residence | undefined {
    return this.held?.residence;
  }
  get slot(): Slot {
    return this.held!;
  }
  get device(): string {
    return this.owner.name;
  }
  get scalar(): undefined {
    return undefined;
  }
  get disposed(): boolean {
    return this.held === undefined;
  }
  readSync(): TypedArray {
    return this.owner.readSync(this.slot, new dtypeInfo[this.dtype].storage(this.words));
  }
  override async read(): Promise<TypedArray> {
    const { owner } = this;
    try {
      return await owner.read(this.slot, new dtypeInfo[this.dtype].storage(this.words));
    } catch (e) {
      const copy = owner.lost && owner.hostCopies ? this.origin?.host : undefined;
      if (copy) return copy.data.slice();
      throw e;
    }
  }
  override settled(): Promise<void> {
    return this.owner.settled(this.slot);
  }
  share(standing: Standing): DeviceStorage {
    this.slot.refs++;
    return new DeviceStorage(this.owner, this.held, this.dtype, this.words, standing);
  }
  dispose(): void {
    const slot = this.held;
    if (!slot) return;
    this.held = undefined;
    if (--slot.refs === 0) this.owner.heap.release(slot);
  }
}

/** Where an array's elements lie, for arrays of a device with a heap. */
export function residenceOf(x: ConcreteArray): Residence | undefined {
  const { storage } = x;
  return storage instanceof DeviceStorage ? storage.residence : undefined;
}
