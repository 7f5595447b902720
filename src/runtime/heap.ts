import type { ConcreteArray } from "../core/array.js";
import { type Aval, formatAval } from "../core/aval.js";
import { config } from "../core/config.js";
import { DeviceError, type ErrorDetail, TsaxError } from "../core/errors.js";
import type { Backend, DeviceBuffer } from "../kernel-ir/backend.js";
import { type Collector, mayHaveCollector, nodeCollector } from "./collector.js";

/**
 * Where the elements of an array lie: a block of the device's heap, or, spilled, ordinary garbage-collected memory.
 *
 *   array → Slot → Residence → (block | spilled)
 *
 * The Slot is what dies: arrays that share elements share it, the heap's table holds Residences only. So nothing that the table
 * or the finalization registry holds can keep an array alive, nor, once it is spilled, its elements.
 */
export class Residence {
  spilled: Uint32Array | undefined;
  lastUse = 0;
  /** Place in the table; −1: not in it. */
  index = -1;
  weak: WeakRef<Slot> | undefined;
  constructor(
    public buffer: DeviceBuffer | undefined,
    /** Of the array that it was made for. */
    readonly type: Aval | undefined,
  ) {}
}

export class Slot {
  /** Arrays that have not given it up. */
  refs = 1;
  constructor(readonly residence: Residence) {}
}

/** How dead arrays are found: by weak references (with a collector), or by a finalization registry and spilling. */
type Watch = "weak" | "registry";

/** New weak references after which the job's kept objects are let go. */
const settleEvery = 1024;
/** Blocks in the table before it is swept. */
const minCount = 32_768;
/**
 * Where dead arrays can be found at any time, the heap looks for them when it holds `minRoom` bytes, or so many of the largest
 * results, or so many times what JavaScript's own heap has beyond `idleJsHeap`: the more is alive there, the dearer it is.
 */
const minRoom = 24 * 2 ** 20;
const roomInResults = 128;
const roomInJsHeaps = 4;
const idleJsHeap = 8 * 2 ** 20;
/** Arrays of fewer bytes than this are made faster than dead ones are found: they may take `smallRoom`. */
const small = 72 * 1024;
const smallRoom = 96 * 2 ** 20;

/**
 * The storage of arrays on one device. Arrays give blocks back when they are disposed; the blocks of dead arrays are found after
 * garbage collections, and, inside a long synchronous job, when more is held than the budget allows: by collecting garbage
 * now (Node), or else by moving what was least recently used to ordinary memory, which dies with its array.
 */
export class Heap {
  private readonly table: Residence[] = [];
  private bytes = 0;
  private spilledBytes = 0;
  private clock = 0;
  private watch: Watch;
  private collector: Collector | undefined;
  private sinceSettled = 0;
  private budget = 0;
  private byteLimit = 0;
  private countLimit = minCount;
  /** Bytes of the largest block that was asked for lately. */
  private largest = 0;
  private largestSince = 0;
  private jsHeap = 0;
  private reuploaded = 0;
  /** Operands of the programs that run now: never spilled, and kept alive. */
  private readonly running: (readonly ConcreteArray[] | undefined)[] = [];
  private depth = 0;

  private readonly registry = new FinalizationRegistry<Residence>((r) => this.drop(r));
  private readonly spills = new FinalizationRegistry<number>((n) => void (this.spilledBytes -= n));
  /** Tells that garbage was collected: its one target is made anew each time. */
  private readonly sentinel = new FinalizationRegistry<null>(() => {
    this.sweep();
    this.sentinel.register({}, null);
  });

  constructor(
    private readonly backend: Backend,
    private readonly residenceOf: (x: ConcreteArray) => Residence | undefined,
    watch: Watch = mayHaveCollector() ? "weak" : "registry",
  ) {
    this.watch = watch;
    if (watch === "weak") this.sentinel.register({}, null);
  }

  get liveArrays(): number {
    return this.table.length;
  }
  get liveBytes(): number {
    return this.bytes;
  }
  get bytesSpilled(): number {
    return this.spilledBytes;
  }

  /** Pins operands while a program runs; every `enter` has its `leave` in a `finally`. */
  enter(operands: readonly ConcreteArray[]): void {
    this.running[this.depth++] = operands;
  }
  leave(): void {
    this.running[--this.depth] = undefined;
  }

  /** A block that no array holds yet. Makes room before: operands that are not pinned may be spilled. */
  allocate(bytes: number): DeviceBuffer {
    if (config.memoryBudget !== this.budget || bytes > this.largest) this.resetLimit(bytes);
    if (bytes > this.largestSince) this.largestSince = bytes;
    if (this.bytes + bytes > this.byteLimit || this.table.length >= this.countLimit) this.reclaim(bytes);
    if (!this.backend.readSync && this.bytes + bytes > config.deviceMemoryLimit) this.refuseOverLimit(bytes);
    try {
      return this.backend.allocate(bytes);
    } catch (e) {
      if (!isOutOfMemory(e)) throw e;
      return this.allocateHard(bytes, e);
    }
  }
  private resetLimit(bytes: number): void {
    const other = config.memoryBudget !== this.budget;
    this.budget = config.memoryBudget;
    this.largest = Math.max(this.largest, bytes);
    this.byteLimit = other ? this.room() : Math.max(this.byteLimit, this.room());
  }

  /** Bytes that may be held, dead ones included, while little is alive. */
  private room(): number {
    if (this.watch === "registry") return this.budget;
    const room = Math.max(minRoom, this.largest * roomInResults, (this.jsHeap - idleJsHeap) * roomInJsHeaps);
    return Math.min(this.budget, room);
  }

  /** Gives back a block that no array holds. */
  free(buffer: DeviceBuffer): void {
    this.backend.free(buffer);
  }

  /** Makes a block an array's. */
  adopt(buffer: DeviceBuffer, type?: Aval): Slot {
    const residence = new Residence(buffer, type);
    const slot = new Slot(residence);
    this.track(residence, slot);
    return slot;
  }

  /** The block of an operand; what was spilled is uploaded again. */
  use(slot: Slot): DeviceBuffer {
    const r = slot.residence;
    r.lastUse = ++this.clock;
    return r.buffer ?? this.unspill(slot);
  }

  /** Gives up the elements of a slot that nobody refers to any more. */
  release(slot: Slot): void {
    const r = slot.residence;
    if (this.watch === "registry") this.registry.unregister(r);
    if (r.spilled) {
      this.spills.unregister(r);
      this.spilledBytes -= r.spilled.byteLength;
      r.spilled = undefined;
    }
    this.drop(r);
  }

  /** Takes the block away from its slot, for another array to take over. */
  takeOver(slot: Slot): DeviceBuffer {
    const r = slot.residence;
    const buffer = this.use(slot);
    if (this.watch === "registry") this.registry.unregister(r);
    this.untrack(r);
    r.buffer = undefined;
    return buffer;
  }

  private track(r: Residence, slot: Slot): void {
    r.index = this.table.push(r) - 1;
    r.lastUse = ++this.clock;
    this.bytes += r.buffer!.bytes;
    if (this.watch === "registry") {
      this.registry.register(slot, r, r);
      return;
    }
    r.weak = new WeakRef(slot);
    if (++this.sinceSettled >= settleEvery) this.settle();
  }

  private untrack(r: Residence): void {
    if (r.index < 0) return;
    const last = this.table.pop()!;
    if (last !== r) {
      this.table[r.index] = last;
      last.index = r.index;
    }
    r.index = -1;
    r.weak = undefined;
    this.bytes -= r.buffer!.bytes;
  }

  /** Frees the block of a dead or disposed array. */
  private drop(r: Residence): void {
    if (!r.buffer) return;
    this.untrack(r);
    this.backend.free(r.buffer);
    r.buffer = undefined;
  }

  private settle(): void {
    this.sinceSettled = 0;
    this.collector ??= nodeCollector();
    if (this.collector) this.collector.settle();
    else this.watchByRegistry();
  }

  /** Weak references are of no use without a collector: they keep everything alive until the job ends. */
  private watchByRegistry(): void {
    this.watch = "registry";
    for (const r of [...this.table]) {
      const slot = r.weak?.deref();
      r.weak = undefined;
      if (slot) this.registry.register(slot, r, r);
      else this.drop(r);
    }
  }

  /** Frees the blocks of arrays that are known to be dead. */
  private sweep(): void {
    if (this.watch !== "weak") return;
    for (let i = this.table.length - 1; i >= 0; i--) {
      const r = this.table[i]!;
      if (r.weak!.deref() === undefined) this.drop(r);
    }
    this.collector?.settle();
  }

  private reclaim(bytes: number): void {
    this.collector ??= this.watch === "weak" ? nodeCollector() : undefined;
    if (this.watch === "weak" && !this.collector) this.watchByRegistry();
    if (this.collector) this.collect(this.collector);
    else this.spillDown(bytes);
  }

  private collect(collector: Collector): void {
    const roomForSmall = Math.min(this.budget, smallRoom);
    if (
      this.table.length < this.countLimit &&
      this.byteLimit < roomForSmall &&
      this.bytes < small * this.table.length
    ) {
      this.byteLimit = roomForSmall;
      return;
    }
    collector.settle();
    this.sweep();
    if (this.bytes > this.byteLimit / 2 || this.table.length > this.countLimit / 2) {
      collector.collect();
      this.sweep();
      this.jsHeap = collector.heapBytes();
    }
    this.largest = Math.max(this.largestSince, this.largest / 2);
    this.largestSince = 0;
    const room = this.room();
    this.byteLimit = Math.max(room, this.bytes + Math.max(room, this.bytes) / 2);
    this.countLimit = Math.max(minCount, this.table.length * 2);
  }

  /** Without a collector what is dead is not known: what was not used for long most likely is. */
  private spillDown(bytes: number): void {
    if (!this.backend.readSync) {
      this.byteLimit = Math.max(this.byteLimit, this.bytes + bytes) * 2;
      this.countLimit = Math.max(this.countLimit, this.table.length * 2);
      return;
    }
    // Much of what was spilled was used again: more is alive than the limit allows.
    if (this.reuploaded > this.byteLimit / 8) this.byteLimit *= 1.5;
    else this.byteLimit = Math.max(this.budget, this.byteLimit / 1.25);
    this.reuploaded = 0;
    this.spillUntil(() => this.bytes + bytes <= this.byteLimit / 2 && this.table.length <= this.countLimit / 2);
    if (this.bytes + bytes > this.byteLimit) this.byteLimit = this.bytes + bytes;
    if (this.table.length >= this.countLimit) this.countLimit = this.table.length * 2;
  }

  /** Spills blocks, the least recently used first, until it is enough; false: everything that could be is spilled. */
  private spillUntil(enough: () => boolean): boolean {
    const pinned = new Set<Residence | undefined>();
    for (let i = 0; i < this.depth; i++) for (const x of this.running[i]!) pinned.add(this.residenceOf(x));
    const candidates = this.table.filter((r) => !pinned.has(r)).sort((a, b) => a.lastUse - b.lastUse);
    for (const r of candidates) {
      if (enough()) return true;
      this.spill(r);
    }
    return enough();
  }

  private spill(r: Residence): void {
    const buffer = r.buffer!;
    const copy = new Uint32Array(buffer.bytes >>> 2);
    this.backend.readSync!(buffer, copy);
    this.registry.unregister(r);
    this.drop(r);
    r.spilled = copy;
    this.spills.register(copy, copy.byteLength, r);
    this.spilledBytes += copy.byteLength;
  }

  private unspill(slot: Slot): DeviceBuffer {
    const r = slot.residence;
    const copy = r.spilled!;
    const buffer = this.allocate(copy.byteLength);
    try {
      this.backend.write(buffer, copy);
    } catch (e) {
      this.backend.free(buffer);
      throw e;
    }
    this.spills.unregister(r);
    this.spilledBytes -= copy.byteLength;
    this.reuploaded += copy.byteLength;
    r.spilled = undefined;
    r.buffer = buffer;
    this.track(r, slot);
    return buffer;
  }

  /** What cannot be spilled has a limit. @throws DeviceError `out-of-memory`, if looking for dead arrays does not help. */
  private refuseOverLimit(bytes: number): void {
    this.reclaim(bytes);
    const limit = config.deviceMemoryLimit;
    if (this.bytes + bytes > limit) throw this.outOfMemory(bytes, `within config.deviceMemoryLimit, ${limit} bytes`);
  }

  private allocateHard(bytes: number, cause: unknown): DeviceBuffer {
    this.reclaim(bytes);
    let buffer = this.tryAllocate(bytes);
    if (!buffer && this.backend.readSync) {
      // The heap may be in pieces: after as much as was asked for is free, try after every further spill.
      const goal = this.bytes - bytes;
      this.spillUntil(() => this.bytes <= goal && (buffer = this.tryAllocate(bytes)) !== undefined);
      buffer ??= this.tryAllocate(bytes);
    }
    if (buffer) return buffer;
    throw this.outOfMemory(
      bytes,
      `in its heap, which has ${this.backend.stats().heapBytes} bytes and cannot grow by so many`,
      cause,
    );
  }

  private outOfMemory(bytes: number, where: string, cause?: unknown): DeviceError {
    return new DeviceError({
      code: "out-of-memory",
      message: `${this.backend.name} has no room for ${bytes} bytes ${where}`,
      details: [["arrays", `${this.table.length}, ${this.bytes} bytes`], ...this.held()],
      hint:
        this.backend.readSync || this.collector
          ? "compute in smaller batches, or give arrays up early with dispose() or donateArgnums"
          : "await something now and then (x.blockUntilReady()): arrays that are not used any more are found between the turns of the event loop; or give them up early with dispose(), using or donateArgnums",
      cause,
    });
  }

  /** The kinds of arrays that hold most, the largest share first. */
  private held(): ErrorDetail[] {
    const kinds = new Map<string, { count: number; bytes: number }>();
    for (const { type, buffer } of this.table) {
      const name = type ? formatAval({ ...type, weakType: false }) : "other";
      const kind = kinds.get(name) ?? { count: 0, bytes: 0 };
      kinds.set(name, { count: kind.count + 1, bytes: kind.bytes + buffer!.bytes });
    }
    return [...kinds]
      .sort(([, a], [, b]) => b.bytes - a.bytes)
      .slice(0, 5)
      .map(([name, { count, bytes }]) => [`  ${name}`, `${count}, ${bytes} bytes`]);
  }

  private tryAllocate(bytes: number): DeviceBuffer | undefined {
    try {
      return this.backend.allocate(bytes);
    } catch (e) {
      if (isOutOfMemory(e)) return undefined;
      throw e;
    }
  }
}

const isOutOfMemory = (e: unknown): boolean => e instanceof TsaxError && e.code === "out-of-memory";
