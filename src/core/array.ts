import { type Aval, type Shape, sizeOf } from "./aval.js";
import type { DType, TypedArray } from "./dtype.js";
import { DisposedError } from "./errors.js";

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
  /** Another reference to the same elements, for a reshape. */
  share(): Storage;
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

  get device(): string {
    return this.held.device;
  }
  get disposed(): boolean {
    return this.held.disposed;
  }
  /** Releases the storage now rather than when the garbage collector finds it. Safe to call twice. */
  dispose(): void {
    this.held.dispose();
  }
  [Symbol.dispose](): void {
    this.held.dispose();
  }
}
