import type { NDArray } from "../core/array.js";
import { lengthsOf, normalizeAxes, normalizeAxis, notAShape, type Shape, sizeOf } from "../core/aval.js";
import { signature, variadic } from "../core/calling.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray, describeValue } from "../core/literal.js";
import * as p from "../primitives/all.js";

/** Changing shapes and the order of axes, without touching elements. */

export type Order = "C" | "F" | "A" | "K";

/** The part of an axis from start to stop, as Python slices: negative positions count from the end. */
export function sliceAxis(x: NDArray, axis: number, start: number, stop: number = x.shape[axis]!, stride = 1): NDArray {
  const n = x.shape[axis]!;
  const at = (i: number): number => Math.min(n, Math.max(0, i < 0 ? i + n : i));
  const [lo, hi] = [at(start), Math.max(at(start), at(stop))];
  if (lo === 0 && hi === n && stride === 1) return x;
  return p.slice(
    x,
    x.shape.map((_, i) => (i === axis ? lo : 0)),
    x.shape.map((d, i) => (i === axis ? hi : d)),
    stride === 1 ? undefined : x.shape.map((_, i) => (i === axis ? stride : 1)),
  );
}

/** A shape in which one length may be −1: whatever is left. @throws ShapeError `reshape-size`. */
export function fillShape(op: string, x: NDArray, shape: number | readonly number[]): number[] {
  const wanted = lengthsOf(shape);
  if (!wanted.every((d) => Number.isInteger(d) && d >= -1) || wanted.filter((d) => d === -1).length > 1) {
    throw notAShape(op, wanted, "a shape is a list of whole numbers, of which one may be -1");
  }
  const free = wanted.indexOf(-1);
  const known = sizeOf(wanted.filter((d) => d !== -1));
  if (free >= 0) wanted[free] = known === 0 ? 0 : x.size / known;
  if (sizeOf(wanted) !== x.size || (free >= 0 && (!Number.isInteger(wanted[free]) || (known === 0 && x.size === 0)))) {
    throw new ShapeError({
      code: "reshape-size",
      message: `${op}: ${x.size} elements do not fill the shape [${typeof shape === "number" ? shape : shape.join(", ")}]`,
      details: [["array", x.describe()]],
    });
  }
  return wanted;
}

const reversed = (n: number): number[] => Array.from({ length: n }, (_, i) => n - 1 - i);

function reshapeIn(op: string, x: NDArray, shape: Shape, order: Order): NDArray {
  if (order === "C") return p.reshape(x, shape);
  if (order !== "F") {
    throw new ArgumentError({
      code: "option-value",
      message: `${op}: order is "C" or "F", not ${describeValue(order)}`,
    });
  }
  // Column-major order is row-major order of the reversed axes.
  return p.transpose(p.reshape(p.transpose(x, reversed(x.ndim)), [...shape].reverse()), reversed(shape.length));
}

export interface ReshapeOptions {
  readonly order?: Order | undefined;
  readonly copy?: boolean | null | undefined;
}
const reshapeParams = /* @__PURE__ */ signature<ReshapeOptions & { a: ArrayLike; shape: number | readonly number[] }>(
  "reshape",
  2,
  ["a", "shape", "order"],
  {
    byName: ["copy"],
  },
);
/**
 * The elements, in row-major order, in another shape; one length may be −1: whatever is left. `order: "F"` reads and writes
 * with the first axis fastest.
 *
 * @throws ShapeError `reshape-size`, `shape-invalid`; ArgumentError `option-value` for other orders.
 * @example
 * np.reshape(np.arange(6), [2, -1]); // [[0, 1, 2], [3, 4, 5]]
 * np.reshape(np.arange(6), [2, 3], "F"); // [[0, 2, 4], [1, 3, 5]]
 */
export function reshape(
  a: ArrayLike,
  shape: number | readonly number[],
  order?: Order | ReshapeOptions,
  options?: ReshapeOptions,
): NDArray;
export function reshape(): NDArray {
  const { a, shape, order = "C" } = reshapeParams(arguments);
  const x = asArray(a, "reshape", "a");
  return reshapeIn("reshape", x, fillShape("reshape", x, shape), order);
}

const ravelParams = /* @__PURE__ */ signature<ReshapeOptions & { a: ArrayLike }>("ravel", 1, ["a", "order"]);
/**
 * The elements along one axis, in row-major order, or with `"F"` with the first axis fastest.
 *
 * @throws ArgumentError `option-value` for other orders.
 * @example
 * np.ravel(np.array([[1, 2], [3, 4]])); // [1, 2, 3, 4]
 */
export function ravel(a: ArrayLike, order?: Order | ReshapeOptions): NDArray;
export function ravel(): NDArray {
  const { a, order = "C" } = ravelParams(arguments);
  const x = asArray(a, "ravel", "a");
  return reshapeIn("ravel", x, [x.size], order);
}

export interface TransposeOptions {
  readonly axes?: readonly number[] | null | undefined;
}
function permute(op: string, x: NDArray, axes: readonly number[] | null | undefined): NDArray {
  if (axes === null || axes === undefined) return p.transpose(x, reversed(x.ndim));
  const perm = normalizeAxes(axes, x.ndim, op);
  if (perm.length !== x.ndim) {
    throw new ArgumentError({
      code: "axes-count",
      message: `${op}: [${axes.join(", ")}] does not name every axis once`,
      details: [["array", x.describe()]],
    });
  }
  return p.transpose(x, perm);
}

const transposeParams = /* @__PURE__ */ signature<TransposeOptions & { a: ArrayLike }>("transpose", 1, ["a", "axes"]);
/**
 * The array with its axes in another order, by default reversed: axis i of the result is axis `axes[i]`.
 *
 * @throws ArgumentError `axes-count`, `axis-range`, `axis-duplicate`.
 * @example
 * np.transpose(np.ones([2, 3, 4]), [1, 0, 2]); // float32[3, 2, 4]
 */
export function transpose(a: ArrayLike, axes?: readonly number[] | null | TransposeOptions): NDArray;
export function transpose(): NDArray {
  const { a, axes } = transposeParams(arguments);
  return permute("transpose", asArray(a, "transpose", "a"), axes);
}

const permuteDimsParams = /* @__PURE__ */ signature<{ a: ArrayLike; axes: readonly number[] }>("permuteDims", 2, [
  "a",
  "axes",
]);
/**
 * The array with its axes in another order: axis i of the result is axis `axes[i]`, which may not be negative.
 *
 * @throws ArgumentError `axis-negative`, `axes-count`, `axis-range`, `axis-duplicate`.
 * @example
 * np.permuteDims(np.ones([2, 3]), [1, 0]); // float32[3, 2]
 */
export function permuteDims(a: ArrayLike, axes: readonly number[]): NDArray;
export function permuteDims(): NDArray {
  const { a, axes } = permuteDimsParams(arguments);
  const x = asArray(a, "permuteDims", "a");
  if (axes.some((axis) => axis < 0)) {
    throw new ArgumentError({
      code: "axis-negative",
      message: `permuteDims: axes do not count from the end, but are [${axes.join(", ")}]`,
      details: [["a", x.describe()]],
      hint: "transpose takes negative axes",
    });
  }
  return permute("permuteDims", x, axes);
}

const matrixTransposeParams = /* @__PURE__ */ signature<{ x: ArrayLike }>("matrixTranspose", 1, ["x"]);
/**
 * The last two axes swapped: `[*batch n m]` gives `[*batch m n]`.
 *
 * @throws ArgumentError `rank`.
 * @example
 * np.matrixTranspose(np.ones([5, 2, 3])); // float32[5, 3, 2]
 */
export function matrixTranspose(x: ArrayLike): NDArray;
export function matrixTranspose(): NDArray {
  const x = asArray(matrixTransposeParams(arguments).x, "matrixTranspose", "x");
  if (x.ndim < 2)
    throw new ArgumentError({
      code: "rank",
      message: "matrixTranspose needs at least 2 dimensions",
      details: [["x", x.describe()]],
    });
  return swap(x, x.ndim - 2, x.ndim - 1);
}

function swap(x: NDArray, a: number, b: number): NDArray {
  const perm = x.shape.map((_, i) => (i === a ? b : i === b ? a : i));
  return p.transpose(x, perm);
}

const swapaxesParams = /* @__PURE__ */ signature<{ a: ArrayLike; axis1: number; axis2: number }>("swapaxes", 3, [
  "a",
  "axis1",
  "axis2",
]);
/**
 * Two axes swapped.
 *
 * @throws ArgumentError `axis-range`.
 * @example
 * np.swapaxes(np.ones([2, 3, 4]), 0, -1); // float32[4, 3, 2]
 */
export function swapaxes(a: ArrayLike, axis1: number, axis2: number): NDArray;
export function swapaxes(): NDArray {
  const { a, axis1, axis2 } = swapaxesParams(arguments);
  const x = asArray(a, "swapaxes", "a");
  return swap(x, normalizeAxis(axis1, x.ndim, "swapaxes"), normalizeAxis(axis2, x.ndim, "swapaxes"));
}

type Axes = number | readonly number[];
const moveaxisParams = /* @__PURE__ */ signature<{ a: ArrayLike; source: Axes; destination: Axes }>("moveaxis", 3, [
  "a",
  "source",
  "destination",
]);
/**
 * Axes moved to new positions, the others in their order.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`, `axes-count`.
 * @example
 * np.moveaxis(np.ones([2, 3, 4]), 0, -1); // float32[3, 4, 2]
 */
export function moveaxis(a: ArrayLike, source: Axes, destination: Axes): NDArray;
export function moveaxis(): NDArray {
  const { a, source, destination } = moveaxisParams(arguments);
  return moveAxes("moveaxis", asArray(a, "moveaxis", "a"), source, destination);
}

function moveAxes(op: string, x: NDArray, source: Axes, destination: Axes): NDArray {
  const from = normalizeAxes(source, x.ndim, op);
  const to = normalizeAxes(destination, x.ndim, op);
  if (from.length !== to.length) {
    throw new ArgumentError({
      code: "axes-count",
      message: `${op}: ${from.length} axes cannot move to ${to.length} positions`,
    });
  }
  const perm = x.shape.map((_, i) => i).filter((i) => !from.includes(i));
  const moves = to.map((t, i) => [t, from[i]!] as const).sort((m, n) => m[0] - n[0]);
  for (const [t, f] of moves) perm.splice(t, 0, f);
  return p.transpose(x, perm);
}

const rollaxisParams = /* @__PURE__ */ signature<{ a: ArrayLike; axis: number; start?: number }>("rollaxis", 2, [
  "a",
  "axis",
  "start",
]);
/** An axis moved in front of the axis `start`. */
export function rollaxis(a: ArrayLike, axis: number, start?: number | { readonly start?: number }): NDArray;
export function rollaxis(): NDArray {
  const { a, axis, start = 0 } = rollaxisParams(arguments);
  const x = asArray(a, "rollaxis", "a");
  const from = normalizeAxis(axis, x.ndim, "rollaxis");
  if (!Number.isInteger(start) || start < -x.ndim || start > x.ndim) {
    throw new ArgumentError({
      code: "axis-range",
      message: `rollaxis: start ${String(start)} is not in [${-x.ndim}, ${x.ndim}]`,
    });
  }
  const before = start < 0 ? start + x.ndim : start;
  return moveAxes("rollaxis", x, from, from < before ? before - 1 : before);
}

const expandDimsParams = /* @__PURE__ */ signature<{ a: ArrayLike; axis: Axes }>("expandDims", 2, ["a", "axis"]);
/**
 * New axes of length 1 at positions of the result.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * np.expandDims(np.ones([3]), [0, -1]); // float32[1, 3, 1]
 */
export function expandDims(a: ArrayLike, axis: Axes | { readonly axis: Axes }): NDArray;
export function expandDims(): NDArray {
  const { a, axis } = expandDimsParams(arguments);
  const x = asArray(a, "expandDims", "a");
  const list = typeof axis === "number" ? [axis] : axis;
  const dims = normalizeAxes(list, x.ndim + list.length, "expandDims").sort((m, n) => m - n);
  return dims.length === 0 ? x : p.expandDims(x, dims);
}

export interface SqueezeOptions {
  readonly axis?: Axes | null | undefined;
}
const squeezeParams = /* @__PURE__ */ signature<SqueezeOptions & { a: ArrayLike }>("squeeze", 1, ["a", "axis"]);
/**
 * Axes of length 1 taken away, by default all of them.
 *
 * @throws ShapeError `squeeze-length` where a named axis is longer; ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * np.squeeze(np.ones([1, 3, 1]), 0); // float32[3, 1]
 */
export function squeeze(a: ArrayLike, axis?: Axes | null | SqueezeOptions): NDArray;
export function squeeze(): NDArray {
  const { a, axis } = squeezeParams(arguments);
  const x = asArray(a, "squeeze", "a");
  const all = x.shape.map((d, i) => (d === 1 ? i : -1)).filter((i) => i >= 0);
  const dims = axis === null || axis === undefined ? all : normalizeAxes(axis, x.ndim, "squeeze").sort((m, n) => m - n);
  const long = dims.find((i) => x.shape[i] !== 1);
  if (long !== undefined) {
    throw new ShapeError({
      code: "squeeze-length",
      message: `squeeze: axis ${long} has length ${x.shape[long]}, not 1`,
      details: [["array", x.describe()]],
    });
  }
  return dims.length === 0 ? x : p.squeeze(x, dims);
}

/** Arrays with at least `rank` dimensions; one array for one argument, else a list. */
function atLeast(op: string, raise: (x: NDArray) => NDArray): (...arys: readonly ArrayLike[]) => NDArray | NDArray[] {
  const params = variadic(op, []);
  return function () {
    const arrays = params(arguments)[0].map((x) => raise(asArray(x, op)));
    return arrays.length === 1 ? arrays[0]! : arrays;
  };
}

/** One array for one argument, a list for several. */
export interface AtLeast {
  (ary: ArrayLike): NDArray;
  (...arys: readonly ArrayLike[]): NDArray[];
}
/** Scalars become vectors of one element. */
export const atleast1d = /* @__PURE__ */ atLeast("atleast1d", (x) => (x.ndim >= 1 ? x : p.reshape(x, [1]))) as AtLeast;
/**
 * Vectors become rows, scalars [1, 1].
 *
 * @example
 * np.atleast2d(np.array([1, 2])); // [[1, 2]]
 */
export const atleast2d = /* @__PURE__ */ atLeast("atleast2d", to2d) as AtLeast;
/** Vectors become [1, n, 1], matrices [m, n, 1]. */
export const atleast3d = /* @__PURE__ */ atLeast("atleast3d", to3d) as AtLeast;

export function to2d(x: NDArray): NDArray {
  return x.ndim >= 2 ? x : p.reshape(x, [1, x.size]);
}
export function to3d(x: NDArray): NDArray {
  if (x.ndim >= 3) return x;
  return p.reshape(x, x.ndim === 2 ? [...x.shape, 1] : [1, x.size, 1]);
}

const shapeParams = /* @__PURE__ */ signature<{ a: ArrayLike }>("shape", 1, ["a"]);
/**
 * Lengths of the axes.
 *
 * @example
 * np.shape(np.ones([2, 3])); // [2, 3]
 */
export function shape(a: ArrayLike): Shape;
export function shape(): Shape {
  return asArray(shapeParams(arguments).a, "shape", "a").shape;
}
const ndimParams = /* @__PURE__ */ signature<{ a: ArrayLike }>("ndim", 1, ["a"]);
/**
 * Number of axes.
 *
 * @example
 * np.ndim(np.ones([2, 3])); // 2
 */
export function ndim(a: ArrayLike): number;
export function ndim(): number {
  return asArray(ndimParams(arguments).a, "ndim", "a").ndim;
}
const sizeParams = /* @__PURE__ */ signature<{ a: ArrayLike; axis?: Axes | null }>("size", 1, ["a", "axis"]);
/**
 * Number of elements, or along some axes.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * np.size(np.ones([2, 3])); // 6
 */
export function size(a: ArrayLike, axis?: Axes | null | { readonly axis?: Axes | null }): number;
export function size(): number {
  const { a, axis } = sizeParams(arguments);
  const x = asArray(a, "size", "a");
  return sizeOf(normalizeAxes(axis, x.ndim, "size").map((i) => x.shape[i]!));
}
