import type { TypedArray } from "../core/dtype.js";
import { InternalError } from "../core/errors.js";
import type { BufferArg } from "./kernel.js";
import { type ScalarValue, toScalar } from "./scalar-eval.js";

/**
 * The order of the points of a launch. Points of one row in different phases are ordered; rows, and points of one phase, are
 * not, unless the whole launch is sequential. Every point has a number that never comes again, later points larger ones.
 */
export class PointOrder {
  private static counter = 1;
  private readonly launch = PointOrder.counter;
  private row = this.launch;
  private phase = this.launch;
  current = this.launch;

  constructor(readonly sequential: boolean) {}

  nextRow(): void {
    this.current = this.row = this.phase = PointOrder.counter++;
  }
  nextPhase(): void {
    this.current = this.phase = PointOrder.counter++;
  }
  nextPoint(): void {
    this.current = PointOrder.counter++;
  }
  inLaunch(point: number): boolean {
    return point >= this.launch;
  }
  inRow(point: number): boolean {
    return point >= this.row;
  }
  inPhase(point: number): boolean {
    return point >= this.phase;
  }
  /** Whether what ran at `point` has no order to what runs now. */
  conflicts(point: number): boolean {
    if (this.sequential || point === this.current || !this.inLaunch(point)) return false;
    return !this.inRow(point) || this.inPhase(point);
  }
}

/** Memory with a shadow that knows what was ever written, and which points of the running launch read and wrote each word. */
export class CheckedMemory {
  readonly initialized: Uint8Array;
  /** Point numbers, a word each: the last writer; the last reader, and before it one of its phase and one of another row. */
  readonly writer: Float64Array;
  readonly reader: Float64Array;
  readonly readerOfPhase: Float64Array;
  readonly readerOfRow: Float64Array;

  constructor(
    readonly data: ArrayBuffer,
    initialized: boolean,
  ) {
    const words = Math.ceil(data.byteLength / 4);
    this.initialized = new Uint8Array(words).fill(initialized ? 1 : 0);
    this.writer = new Float64Array(words);
    this.reader = new Float64Array(words);
    this.readerOfPhase = new Float64Array(words);
    this.readerOfRow = new Float64Array(words);
  }

  static ofBytes(bytes: number): CheckedMemory {
    return new CheckedMemory(new ArrayBuffer(Math.ceil(bytes / 16) * 16), false);
  }

  /** Forgets that anything was written in a range of bytes. */
  forget(offset: number, bytes: number): void {
    this.initialized.fill(0, offset / 4, Math.ceil((offset + bytes) / 4));
  }

  isInitialized(offset: number, bytes: number): boolean {
    return !this.initialized.subarray(offset / 4, Math.ceil((offset + bytes) / 4)).includes(0);
  }
}

/** A run of bytes of a memory. */
export interface MemoryRange {
  readonly memory: CheckedMemory;
  readonly offset: number;
  readonly bytes: number;
}

export function copyRange(from: MemoryRange, to: MemoryRange, bytes: number, what: string): void {
  if (bytes > from.bytes || bytes > to.bytes) {
    throw new InternalError(`${what}: ${bytes} bytes from a range of ${from.bytes} to one of ${to.bytes}`);
  }
  if (!from.memory.isInitialized(from.offset, bytes)) throw new InternalError(`${what}: reads what nothing wrote`);
  new Uint8Array(to.memory.data, to.offset, bytes).set(new Uint8Array(from.memory.data, from.offset, bytes));
  to.memory.initialized.fill(1, to.offset / 4, Math.ceil((to.offset + bytes) / 4));
}

const arrays = { f32: Float32Array, f64: Float64Array, i32: Int32Array, u32: Uint32Array, bool: Int32Array } as const;

/** A buffer argument of a launch: its elements in a range of memory, every access checked. */
export class CheckedBuffer {
  private readonly elements: TypedArray;
  private readonly memory: CheckedMemory;
  private readonly words: number;
  private readonly first: number;

  constructor(
    range: MemoryRange,
    private readonly arg: BufferArg,
    private readonly name: string,
    private readonly order: PointOrder,
  ) {
    this.words = arg.type === "f64" ? 2 : 1;
    const bytes = arg.length * this.words * 4;
    if (bytes > range.bytes) {
      throw new InternalError(`${name}: ${arg.length} elements of ${arg.type} in a range of ${range.bytes} bytes`);
    }
    this.memory = range.memory;
    this.first = range.offset / 4;
    this.elements = new arrays[arg.type](range.memory.data, range.offset, arg.length);
  }

  read(index: number): number {
    const at = this.place(index, "read");
    if (this.arg.access === "write")
      throw new InternalError(`${this.name}, element ${index}: read, but only to be written`);
    const { memory, order } = this;
    for (let w = at; w < at + this.words; w++) {
      if (memory.initialized[w] === 0)
        throw new InternalError(`${this.name}, element ${index}: read, but nothing wrote it`);
      if (order.conflicts(memory.writer[w]!)) throw this.race(index, "read", "written");
      const last = memory.reader[w]!;
      if (last !== order.current) {
        if (order.inLaunch(last) && !order.inRow(last)) memory.readerOfRow[w] = last;
        if (order.inPhase(last)) memory.readerOfPhase[w] = last;
        memory.reader[w] = order.current;
      }
    }
    return this.elements[index]!;
  }

  write(index: number, value: ScalarValue): void {
    const at = this.place(index, "written");
    if (this.arg.access === "read")
      throw new InternalError(`${this.name}, element ${index}: written, but only to be read`);
    const { memory, order } = this;
    for (let w = at; w < at + this.words; w++) {
      if (memory.writer[w] === order.current && !order.sequential) throw this.race(index, "written", "written");
      if (order.conflicts(memory.writer[w]!)) throw this.race(index, "written", "written");
      if (
        order.conflicts(memory.reader[w]!) ||
        order.conflicts(memory.readerOfPhase[w]!) ||
        order.conflicts(memory.readerOfRow[w]!)
      ) {
        throw this.race(index, "written", "read");
      }
      memory.writer[w] = order.current;
      memory.initialized[w] = 1;
    }
    this.elements[index] = Number(toScalar(this.arg.type, value));
  }

  private place(index: number, what: string): number {
    if (!(Number.isInteger(index) && index >= 0 && index < this.arg.length)) {
      throw new InternalError(
        `${this.name}, element ${index}: ${what}, out of bounds of its ${this.arg.length} elements`,
      );
    }
    return this.first + index * this.words;
  }

  private race(index: number, now: string, before: string): InternalError {
    return new InternalError(
      `${this.name}, element ${index}: ${now} at one point and ${before} at another without an order between them`,
    );
  }
}
