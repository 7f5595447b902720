import { NDArray } from "../core/array.js";
import type { DType } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import type { ArrayLike } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { argmax, argmin, type ArgOptions } from "./arg-extremes.js";
import { abs, add, divide, floorDivide, multiply, negative, power, remainder, subtract } from "./arithmetic.js";
import { astype, copy } from "./array.js";
import { cumprod, cumsum, type CumulativeOptions } from "./cumulative.js";
import { conj, imag, real } from "./floats.js";
import { clip, type ClipOptions, equal, greater, greaterEqual, less, lessEqual, notEqual } from "./logic.js";
import { diagonal, type DiagonalOptions, trace, type TraceOptions } from "./matrices.js";
import { dot, matmul, type ProductOptions } from "./products.js";
import type { Axis } from "./promotion.js";
import { repeat, type RepeatOptions } from "./rearranging.js";
import {
  all,
  any,
  type ExtremeOptions,
  type KeepdimsOptions,
  type LogicOptions,
  max,
  min,
  prod,
  ptp,
  type ReduceOptions,
  sum,
} from "./reductions.js";
import { round, type RoundOptions } from "./rounding.js";
import {
  expandDims,
  matrixTranspose,
  type Order,
  ravel,
  reshape,
  type ReshapeOptions,
  squeeze,
  type SqueezeOptions,
  swapaxes,
  transpose,
} from "./shape.js";
import { mean, type MeanOptions, std, var_, type VarOptions } from "./statistics.js";

/** Attaches numpy's functions to arrays as methods: `x.add(y)` is `np.add(x, y)`. */

declare module "../core/array.js" {
  interface NDArray {
    /** −x. */
    neg(): NDArray;
    /** |x|; its derivative at 0 is 1. */
    abs(): NDArray;
    /** The sum, as `np.add`: other arrays broadcast, dtypes promote. */
    add(other: ArrayLike): NDArray;
    /** The difference. */
    sub(other: ArrayLike): NDArray;
    /** The product, element by element; `matmul` multiplies matrices. */
    mul(other: ArrayLike): NDArray;
    /** The quotient in floats, also of integers. */
    div(other: ArrayLike): NDArray;
    /** The quotient rounded towards −∞. */
    floorDivide(other: ArrayLike): NDArray;
    /** The remainder with the sign of the divisor. */
    mod(other: ArrayLike): NDArray;
    /** The power, as `np.power`. */
    pow(other: ArrayLike): NDArray;
    /** Whether x > other, element by element: a bool array, false of NaN. So are the five below. */
    greater(other: ArrayLike): NDArray;
    greaterEqual(other: ArrayLike): NDArray;
    less(other: ArrayLike): NDArray;
    lessEqual(other: ArrayLike): NDArray;
    equal(other: ArrayLike): NDArray;
    notEqual(other: ArrayLike): NDArray;

    /** The sum over axes, by default all. */
    sum(axis?: Axis | ReduceOptions, dtype?: DType | null | ReduceOptions, options?: ReduceOptions): NDArray;
    /** The product over axes, by default all. */
    prod(axis?: Axis | ReduceOptions, dtype?: DType | null | ReduceOptions, options?: ReduceOptions): NDArray;
    /** The largest element over axes, by default all; NaN if there is one. */
    max(axis?: Axis | ExtremeOptions, options?: ExtremeOptions): NDArray;
    /** The least element over axes, by default all; NaN if there is one. */
    min(axis?: Axis | ExtremeOptions, options?: ExtremeOptions): NDArray;
    /** Whether some element over axes is true. */
    any(axis?: Axis | LogicOptions, options?: LogicOptions): NDArray;
    /** Whether all elements over axes are true. */
    all(axis?: Axis | LogicOptions, options?: LogicOptions): NDArray;
    /** The largest minus the least element. */
    ptp(axis?: Axis | KeepdimsOptions, options?: KeepdimsOptions): NDArray;
    /** The mean over axes, by default all, in floats. */
    mean(axis?: Axis | MeanOptions, dtype?: DType | null | MeanOptions, options?: MeanOptions): NDArray;
    /** The variance over axes; see `np.var_`. */
    var_(axis?: Axis | VarOptions, dtype?: DType | null | VarOptions, options?: VarOptions): NDArray;
    /** The standard deviation over axes; see `np.std`. */
    std(axis?: Axis | VarOptions, dtype?: DType | null | VarOptions, options?: VarOptions): NDArray;
    /** The index of the largest element, along an axis or in the flattened array. */
    argmax(axis?: number | null | ArgOptions, options?: ArgOptions): NDArray;
    /** The index of the least element, along an axis or in the flattened array. */
    argmin(axis?: number | null | ArgOptions, options?: ArgOptions): NDArray;
    /** Running sums along an axis, or of the flattened array. */
    cumsum(axis?: number | null | CumulativeOptions, options?: CumulativeOptions): NDArray;
    /** Running products along an axis, or of the flattened array. */
    cumprod(axis?: number | null | CumulativeOptions, options?: CumulativeOptions): NDArray;

    /** As `np.dot`: sums products over the last axis and the last but one of `other`. */
    dot(other: ArrayLike, options?: ProductOptions): NDArray;
    /** The matrix product; see `np.matmul`. */
    matmul(other: ArrayLike, options?: ProductOptions): NDArray;

    /**
     * The elements in another shape, given as a list or as arguments; one length may be −1.
     * @example
     * np.arange(6).reshape(2, -1); // [[0, 1, 2], [3, 4, 5]]
     */
    reshape(shape: number | readonly number[], order?: Order | ReshapeOptions): NDArray;
    reshape(...lengths: readonly number[]): NDArray;
    /** The axes in another order, given as a list or as arguments; by default reversed. */
    transpose(axes?: readonly number[] | null): NDArray;
    transpose(...axes: readonly number[]): NDArray;
    /** The array with its axes reversed. */
    readonly T: NDArray;
    /** The array with its last two axes swapped. */
    readonly mT: NDArray;
    /** The elements along one axis. */
    flatten(order?: Order | ReshapeOptions): NDArray;
    /** The elements along one axis. */
    ravel(order?: Order | ReshapeOptions): NDArray;
    /** Axes of length 1 taken away, by default all of them. */
    squeeze(axis?: number | readonly number[] | null | SqueezeOptions): NDArray;
    /** New axes of length 1 at positions of the result. */
    expandDims(axis: number | readonly number[]): NDArray;
    /** Two axes swapped. */
    swapaxes(axis1: number, axis2: number): NDArray;
    /** Each element repeated; see `np.repeat`. */
    repeat(
      repeats: number | readonly number[] | NDArray,
      axis?: number | null | RepeatOptions,
      options?: RepeatOptions,
    ): NDArray;
    /** A diagonal of two axes, by default the first two. */
    diagonal(offset?: number | DiagonalOptions, axis1?: number, axis2?: number): NDArray;
    /** The sum along a diagonal. */
    trace(offset?: number | TraceOptions, axis1?: number, axis2?: number): NDArray;

    /** The elements as another dtype; see `np.astype`. */
    astype(dtype: DType): NDArray;
    /** The same elements in storage of their own. */
    copy(): NDArray;
    /** Values bounded from below and above; see `np.clip`. */
    clip(min?: ArrayLike | null | ClipOptions, max?: ArrayLike | null | ClipOptions): NDArray;
    /** Rounded to a number of decimals, halves to the even digit. */
    round(decimals?: number | RoundOptions): NDArray;
    /** The array itself, as there are no complex dtypes. */
    conj(): NDArray;
    /** The array itself, as there are no complex dtypes. */
    readonly real: NDArray;
    /** Zeros, as there are no complex dtypes. */
    readonly imag: NDArray;

    /**
     * The parts along the first axis, one after the other. @throws ArgumentError `iterate-scalar`.
     * @example
     * const [a, b] = np.array([[1, 2], [3, 4]]);
     * a.add(b); // [4, 6]
     */
    [Symbol.iterator](): IterableIterator<NDArray>;
  }
}

type Method = (this: NDArray, ...args: never[]) => unknown;

/** Adds methods to every array; functions take the array as their first argument. */
export function attachMethods(functions: Readonly<Record<string, (x: never, ...args: never[]) => unknown>>): void {
  for (const [name, f] of Object.entries(functions)) {
    const method: Method = function (...args) {
      return f(this as never, ...args);
    };
    attach(name, { value: method, writable: true });
  }
}

export function attach(name: PropertyKey, descriptor: PropertyDescriptor): void {
  Object.defineProperty(NDArray.prototype, name, { configurable: true, enumerable: false, ...descriptor });
}

const attachGetter = (name: string, get: (x: NDArray) => NDArray): void =>
  attach(name, {
    get(this: NDArray) {
      return get(this);
    },
  });

/** A list, or the arguments themselves where they are all numbers. */
const listed = (args: readonly unknown[]): boolean => args.length > 1 && args.every((a) => typeof a === "number");

attachMethods({
  all,
  any,
  argmax,
  argmin,
  astype,
  clip,
  copy,
  cumprod,
  cumsum,
  diagonal,
  dot,
  matmul,
  max,
  mean,
  min,
  prod,
  ptp,
  ravel,
});
attachMethods({
  flatten: ravel,
  repeat,
  round,
  squeeze,
  std,
  sum,
  swapaxes,
  trace,
  var_,
  expandDims,
  conj,
  neg: negative,
  abs,
});
attachMethods({ add, sub: subtract, mul: multiply, div: divide, floorDivide, mod: remainder, pow: power });
attachMethods({ equal, greater, greaterEqual, less, lessEqual, notEqual });
attachMethods({
  reshape: (x: NDArray, ...args: [never, ...never[]]) => (listed(args) ? reshape(x, args) : reshape(x, ...args)),
  transpose: (x: NDArray, ...args: never[]) =>
    listed(args) || typeof args[0] === "number" ? transpose(x, args) : transpose(x, ...args),
});
attachGetter("T", (x) => transpose(x));
attachGetter("mT", matrixTranspose);
attachGetter("real", real);
attachGetter("imag", imag);

function* parts(x: NDArray): IterableIterator<NDArray> {
  const [n, ...rest] = x.shape;
  const starts = rest.map(() => 0);
  for (let i = 0; i < n!; i++) yield p.squeeze(p.slice(x, [i, ...starts], [i + 1, ...rest]), [0]);
}

attach(Symbol.iterator, {
  value: function (this: NDArray): IterableIterator<NDArray> {
    if (this.ndim > 0) return parts(this);
    throw new ArgumentError({
      code: "iterate-scalar",
      message: "an array without dimensions has no parts to iterate over",
      details: [["array", this.describe()]],
      hint: "x.item() gives its value",
    });
  },
  writable: true,
});
