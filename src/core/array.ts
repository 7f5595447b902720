// Consumers get the library that declares Symbol.dispose without asking for it.
/// <reference lib="esnext.disposable" preserve="true" />

import { type Aval, formatAval, type Shape, sizeOf } from "./aval.js";
import type { DType, TypedArray } from "./dtype.js";
import { DisposedError, TsaxError } from "./errors.js";
import { formatArray, formatOpaque, formatScalar } from "./printing.js";
import {
  type ArrayData,
  asyncRead,
  checkItem,
  itemOf,
  type NestedValue,
  nestedValues,
  notANumber,
  publicData,
  tracerRead,
} from "./reading.js";

const inspect = Symbol.for("nodejs.util.inspect.custom");

/**
 * An immutable array, or a tracer that stands for one: what users hold and functions are written on.
 * Methods such as `add`, `sum`, `reshape` are attached by the numpy library.
 */
export abstract class NDArray {
  abstract readonly aval: Aval;

  /** Lengths of the axes. */
  get shape(): Shape {
    return this.aval.shape;
  }
  get dtype(): DType {
    return this.aval.dtype;
  }
  /** Whether the dtype came from a bare JS number and gives way to other dtypes. */
  get weakType(): boolean {
    return this.aval.weakType;
  }
  get ndim(): number {
    return this.aval.shape.length;
  }
  get size(): number {
    return sizeOf(this.aval.shape);
  }

  /**
   * The array with elements that stands behind this value, if there is one: itself, or the primal of a value that is being
   * differentiated outside of jit.
   */
  concrete(): ConcreteArray | undefined {
    return undefined;
  }
  /** How errors describe the value. */
  describe(): string {
    return formatAval(this.aval);
  }
  /** Name of the device that the elements lie on; undefined for traced values. */
  get device(): string | undefined {
    return undefined;
  }
  /**
   * Releases the elements now rather than when the garbage collector finds them; does nothing for traced values. Never needed,
   * and safe to call twice; `using x = …` calls it at the end of the block.
   */
  dispose(): void {}
  [Symbol.dispose](): void {
    this.dispose();
  }

  private readable(op: string): ConcreteArray {
    const c = this.concrete();
    if (!c) throw tracerRead(op, this.describe(), this.aval.shape);
    return c;
  }
  /** What stands behind the value, where it can be read at once. */
  private readableNow(op: string): ConcreteArray {
    const c = this.readable(op);
    if (!c.storage.synchronous) throw asyncRead(op, this.describe(), c.device);
    return c;
  }

  /** A copy of the elements, in row-major order; bools as bytes of 0 and 1. Works on every device. */
  async data(): Promise<ArrayData> {
    const c = this.readable("data()");
    return publicData(await c.storage.read(), c.aval, "data");
  }
  /**
   * A copy of the elements, at once. Arrays on a GPU cannot be read at once: `await x.data()`.
   * @throws TracerError `tracer-read`, DeviceError `async-read`.
   */
  dataSync(): ArrayData {
    const c = this.readableNow("dataSync()");
    return publicData(c.storage.readSync(), c.aval, "dataSync");
  }
  /** The elements as nested lists of numbers or booleans; a bare value for a scalar. @throws as dataSync. */
  js<T extends NestedValue = NestedValue>(): T {
    const c = this.readableNow("js()");
    return nestedValues(c.storage.readSync(), c.aval) as T;
  }
  /** `js()` for every device. */
  async jsAsync<T extends NestedValue = NestedValue>(): Promise<T> {
    const c = this.readable("jsAsync()");
    return nestedValues(await c.storage.read(), c.aval) as T;
  }
  /**
   * The value of an array of one element: a boolean for bool, else a number. Works on values under `grad` too, outside of jit.
   * @throws TracerError `tracer-read`, ArgumentError `item-size`, DeviceError `async-read`.
   */
  item<T extends number | boolean = number>(): T {
    checkItem(this.aval);
    const c = this.readableNow("item()");
    const scalar = c.storage.scalar;
    return (scalar !== undefined && this.aval.dtype === "float64" ? scalar : itemOf(c.storage.readSync(), c.aval)) as T;
  }

  /**
   * Waits until the elements have been computed; gives the array itself. A device computes on while the program goes on: what
   * is timed ends with this. @throws what failed while they were computed.
   * @example
   * const y = await jit((x) => np.tanh(x))(np.ones([3])).blockUntilReady();
   */
  async blockUntilReady(): Promise<this> {
    await this.concrete()?.storage.settled();
    return this;
  }

  /** Text the way NumPy writes arrays; what is known of a traced value. @throws DeviceError `async-read`. */
  toString(): string {
    return `Traced(${this.describe()})`;
  }
  toJSON(): NestedValue {
    return this.js();
  }
  /** Operators and templates see numbers in concrete scalars only: on a traced value they would lose its derivative. */
  [Symbol.toPrimitive](_hint: string): number | string {
    throw notANumber(this.describe(), true);
  }
  [inspect](): string {
    return this.toString();
  }
}

/** The storage behind a concrete array; the runtime implements it. */
export interface Storage {
  readonly device: string;
  /** The value of a scalar that was never sent to a device. */
  readonly scalar: number | undefined;
  readonly disposed: boolean;
  /** A copy of the elements in storage layout. @throws DeviceError `async-read` on devices that cannot be read synchronously. */
  readSync(): TypedArray;
  read(): Promise<TypedArray>;
  /** Whether `readSync` works. */
  readonly synchronous: boolean;
  /** Resolves when the elements are there; rejects with what failed while they were computed. */
  settled(): Promise<void>;
  /** Gives the reference up; the elements go when nobody else holds one. */
  dispose(): void;
}

/** An array with elements. */
export class ConcreteArray extends NDArray {
  constructor(
    readonly aval: Aval,
    private readonly held: Storage,
  ) {
    super();
  }

  /** @throws DisposedError `array-deleted`. */
  get storage(): Storage {
    if (this.held.disposed) {
      throw new DisposedError({
        code: "array-deleted",
        message: `Array has been deleted: ${this.aval.dtype}[${this.aval.shape.join(",")}] was disposed or donated`,
        hint: "keep arrays that are used again out of dispose(), using and donateArgnums",
      });
    }
    return this.held;
  }

  override concrete(): ConcreteArray {
    return this;
  }
  override toString(): string {
    if (this.aval.dtype === "key") return formatOpaque(this.aval);
    if (!this.storage.synchronous) throw asyncRead("toString()", this.describe(), this.device);
    return formatArray(this.storage.readSync(), this.aval);
  }
  [Symbol.toPrimitive](hint: string): number | string {
    if (this.aval.shape.length === 0) {
      const v = this.item<number | boolean>();
      return hint === "string" ? formatScalar(v, this.aval.dtype) : Number(v);
    }
    if (hint === "string") return this.toString();
    throw notANumber(this.describe(), false);
  }
  [inspect](): string {
    if (this.held.disposed) return formatOpaque(this.aval, "deleted");
    if (!this.held.synchronous) return formatOpaque(this.aval, `device=${this.device}, read with await x.data()`);
    try {
      return this.toString();
    } catch (e) {
      if (e instanceof TsaxError) return formatOpaque(this.aval, e.code);
      throw e;
    }
  }

  override get device(): string {
    return this.held.device;
  }
  get disposed(): boolean {
    return this.held.disposed;
  }
  override dispose(): void {
    this.held.dispose();
  }
}
