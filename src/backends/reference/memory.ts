import { InternalError } from "../../core/errors.js";
import type { TypedArray } from "../../core/dtype.js";
import type { DeviceBuffer } from "../../kernel-ir/backend.js";
import type { BufferArg } from "../../kernel-ir/kernel.js";

/** Memory of one buffer or arena, with shadows that remember which point of the running launch read or wrote each word. */
export class Store implements DeviceBuffer {
  readonly data: ArrayBuffer;
  freed = false;
  private readers: Float64Array | undefined;
  private writers: Float64Array | undefined;

  constructor(readonly bytes: number) {
    this.data = new ArrayBuffer(Math.ceil(bytes / 16) * 16);
    // What nobody wrote is NaN or −1, so that reading it shows.
    new Uint8Array(this.data).fill(0xff);
  }

  /** For each word the last point that read it, and the last that wrote it; 0: none. */
  shadow(kind: "readers" | "writers"): Float64Array {
    return (this[kind] ??= new Float64Array(this.data.byteLength / 4));
  }
}

/** A buffer argument of a launch: typed elements somewhere in a store, whose bounds are those that the kernel declares. */
export class View {
  readonly elements: TypedArray;
  private readonly readers: Float64Array;
  private readonly writers: Float64Array;
  private readonly first: number;
  private readonly words: number;

  constructor(
    store: Store,
    offset: number,
    private readonly arg: BufferArg,
    private readonly name: string,
    private readonly points: Points,
  ) {
    if (store.freed) throw new InternalError(`${name} is given memory that was freed`);
    this.words = arg.type === "f64" ? 2 : 1;
    if (offset + arg.length * this.words * 4 > store.data.byteLength) {
      throw new InternalError(
        `${name} is given ${store.bytes - offset} bytes for ${arg.length} elements of ${arg.type}`,
      );
    }
    const type =
      arg.type === "f32"
        ? Float32Array
        : arg.type === "f64"
          ? Float64Array
          : arg.type === "u32"
            ? Uint32Array
            : Int32Array;
    this.elements = new type(store.data, offset, arg.length);
    this.readers = store.shadow("readers");
    this.writers = store.shadow("writers");
    this.first = offset / 4;
  }

  read(i: number): number {
    this.check(i, "read");
    if (this.arg.access === "write") throw new InternalError(`${this.name}: a buffer that is only written is read`);
    const at = this.first + i * this.words;
    if (this.points.conflicts(this.writers[at]!)) throw this.race(i, "read", "written");
    this.readers[at] = this.points.current;
    return this.elements[i]!;
  }

  write(i: number, value: number): void {
    this.check(i, "written");
    if (this.arg.access === "read") throw new InternalError(`${this.name}: a buffer that is only read is written`);
    const at = this.first + i * this.words;
    if (this.points.conflicts(this.writers[at]!)) throw this.race(i, "written", "written");
    if (this.points.conflicts(this.readers[at]!)) throw this.race(i, "written", "read");
    this.writers[at] = this.points.current;
    this.elements[i] = value;
  }

  private check(i: number, what: string): void {
    if (!(i >= 0 && i < this.arg.length && Number.isInteger(i))) {
      throw new InternalError(`${this.name}: element ${i} of a buffer of ${this.arg.length} is ${what}`);
    }
  }
  private race(i: number, what: string, other: string): InternalError {
    return new InternalError(
      `${this.name}: element ${i} is ${what} at one point and ${other} at another that may run before or after`,
    );
  }
}

/**
 * The order in which the points of a launch run. Points of one row in different phases are ordered; rows, and points of one
 * phase, are not, unless the whole nest is.
 */
export class Points {
  private static next = 1;
  private launch = 0;
  private row = 0;
  private phase = 0;
  /** A number for the point that runs now; numbers never come again. */
  current = 0;

  constructor(private readonly sequential: boolean) {
    this.launch = Points.next;
    this.current = Points.next;
  }
  nextRow(): void {
    this.current = this.row = this.phase = Points.next++;
  }
  nextPhase(): void {
    this.current = this.phase = Points.next++;
  }
  nextPoint(): void {
    this.current = Points.next++;
  }
  /** Whether what ran at `point` has no order to what runs now. */
  conflicts(point: number): boolean {
    if (this.sequential || point < this.launch || point === this.current) return false;
    return point < this.row || point >= this.phase;
  }
}
