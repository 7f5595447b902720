import { NDArray } from "../core/array.js";
import { normalizeAxis } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { isInteger } from "../core/dtype.js";
import { ArgumentError, DTypeError } from "../core/errors.js";
import { type ArrayLike, asArray, describeValue, lit } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { listOf } from "./axes.js";
import { fromEnd } from "./from-end.js";

/** Slices at indices that are known only when the program runs; starts are clamped so that the slice lies within. */

/** A start index: negative ones count from the end, as in JAX. */
function startIndex(i: ArrayLike, size: number, op: string): NDArray {
  if (typeof i === "number") {
    if (Number.isInteger(i)) return lit(i < 0 ? i + size : i, "int32");
    throw new ArgumentError({ code: "index-range", message: `${op}: a start index is a whole number, not ${i}` });
  }
  const x = asArray(i, op, "a start index");
  if (!isInteger(x.dtype)) {
    throw new DTypeError({
      code: "index-dtype",
      message: `${op}: start indices are integers, not ${x.dtype}`,
      hint: `convert with .astype("int32")`,
    });
  }
  return fromEnd(x, size);
}

/** Start indices one by one; they may come as one vector. */
function starts(x: NDArray, indices: unknown, op: string): NDArray[] {
  const list = indices instanceof NDArray && indices.ndim === 1 ? entriesOf(indices) : indices;
  if (Array.isArray(list)) return (list as ArrayLike[]).map((i, k) => startIndex(i, x.shape[k] ?? 0, op));
  throw new ArgumentError({
    code: "start-indices",
    message: `${op}: startIndices is a list of numbers and scalars, or a vector, but it is ${describeValue(indices)}`,
    hint: "give one start index for each axis of the operand",
  });
}
const entriesOf = (x: NDArray): NDArray[] =>
  Array.from({ length: x.shape[0]! }, (_, k) => p.squeeze(p.slice(x, [k], [k + 1]), [0]));

/** One start index for each axis, in a list or as one vector of integers. */
export type StartIndices = readonly ArrayLike[] | NDArray;
const alongAxis = (x: NDArray, axis: number, i: ArrayLike): ArrayLike[] => x.shape.map((_, k) => (k === axis ? i : 0));

const dynamicSliceParams = signature<{
  operand: ArrayLike;
  startIndices: StartIndices;
  sliceSizes: readonly number[];
}>("lax.dynamicSlice", 3, ["operand", "startIndices", "sliceSizes"]);
/**
 * A slice of fixed sizes at start indices that may be traced: numbers and scalars, one for each axis, or a vector. Negative
 * starts count from the end; then a start is clamped so that the slice lies within.
 *
 * @throws ShapeError `slice-size`; DTypeError `index-dtype`; ArgumentError `start-indices`, `slice-starts`, `index-range`,
 * `list-needed`.
 * @example
 * lax.dynamicSlice(np.arange(5), [1], [3]); // [1, 2, 3]
 * lax.dynamicSlice(np.arange(5), [4], [3]); // [2, 3, 4]
 */
export function dynamicSlice(operand: ArrayLike, startIndices: StartIndices, sliceSizes: readonly number[]): NDArray;
export function dynamicSlice(...given: unknown[]): NDArray {
  const { operand, startIndices, sliceSizes } = dynamicSliceParams(given);
  const x = asArray(operand, "lax.dynamicSlice", "operand");
  const sizes = listOf("lax.dynamicSlice", "sliceSizes", sliceSizes);
  return p.dynamicSlice(x, starts(x, startIndices, "lax.dynamicSlice"), sizes);
}

const dynamicUpdateSliceParams = signature<{
  operand: ArrayLike;
  update: ArrayLike;
  startIndices: StartIndices;
}>("lax.dynamicUpdateSlice", 3, ["operand", "update", "startIndices"]);
/**
 * The operand with a slice replaced, at start indices as in `dynamicSlice`.
 *
 * @throws ShapeError `slice-size`; DTypeError `dtype-mismatch`, `index-dtype`; ArgumentError `start-indices`,
 * `slice-starts`, `index-range`.
 * @example
 * lax.dynamicUpdateSlice(np.zeros([4]), np.array([8, 9]), [1]); // [0, 8, 9, 0]
 * lax.dynamicUpdateSlice(np.zeros([4]), np.array([8, 9]), [3]); // [0, 0, 8, 9]
 */
export function dynamicUpdateSlice(operand: ArrayLike, update: ArrayLike, startIndices: StartIndices): NDArray;
export function dynamicUpdateSlice(...given: unknown[]): NDArray {
  const { operand, update, startIndices } = dynamicUpdateSliceParams(given);
  const x = asArray(operand, "lax.dynamicUpdateSlice", "operand");
  return p.dynamicUpdateSlice(
    x,
    asArray(update, "lax.dynamicUpdateSlice", "update"),
    starts(x, startIndices, "lax.dynamicUpdateSlice"),
  );
}

interface AxisOptions {
  readonly axis?: number;
  readonly keepdims?: boolean;
}

const sliceInDimParams = signature<{ operand: ArrayLike; startIndex: ArrayLike; sliceSize: number } & AxisOptions>(
  "lax.dynamicSliceInDim",
  3,
  ["operand", "startIndex", "sliceSize", "axis"],
);
/**
 * `dynamicSlice` along one axis.
 *
 * @throws ShapeError `slice-size`; ArgumentError `axis-range`.
 * @example
 * lax.dynamicSliceInDim(np.arange(5), 1, 2); // [1, 2]
 */
export function dynamicSliceInDim(
  operand: ArrayLike,
  start: ArrayLike,
  sliceSize: number,
  axis?: number | { readonly axis?: number },
): NDArray;
export function dynamicSliceInDim(...given: unknown[]): NDArray {
  const { operand, startIndex: start, sliceSize, axis = 0 } = sliceInDimParams(given);
  const x = asArray(operand, "lax.dynamicSliceInDim", "operand");
  const k = normalizeAxis(axis, x.ndim, "lax.dynamicSliceInDim");
  return dynamicSlice(
    x,
    alongAxis(x, k, start),
    x.shape.map((n, d) => (d === k ? sliceSize : n)),
  );
}

const indexParams = signature<{ operand: ArrayLike; index: ArrayLike } & AxisOptions>("lax.dynamicIndexInDim", 2, [
  "operand",
  "index",
  "axis",
  "keepdims",
]);
/**
 * The elements at a traced index of an axis, which stays with length 1 unless `keepdims` is false.
 *
 * @throws ArgumentError `axis-range`; DTypeError `index-dtype`.
 * @example
 * lax.dynamicIndexInDim(np.arange(5), -1, { keepdims: false }); // 4
 */
export function dynamicIndexInDim(operand: ArrayLike, index: ArrayLike, options?: AxisOptions): NDArray;
export function dynamicIndexInDim(...given: unknown[]): NDArray {
  const { operand, index, axis = 0, keepdims = true } = indexParams(given);
  const x = asArray(operand, "lax.dynamicIndexInDim", "operand");
  const k = normalizeAxis(axis, x.ndim, "lax.dynamicIndexInDim");
  const part = dynamicSliceInDim(x, index, 1, k);
  return keepdims ? part : p.squeeze(part, [k]);
}

const updateSliceInDimParams = signature<{
  operand: ArrayLike;
  update: ArrayLike;
  startIndex: ArrayLike;
  axis: number;
}>("lax.dynamicUpdateSliceInDim", 4, ["operand", "update", "startIndex", "axis"]);
/** `dynamicUpdateSlice` along one axis. */
export function dynamicUpdateSliceInDim(operand: ArrayLike, update: ArrayLike, start: ArrayLike, axis: number): NDArray;
export function dynamicUpdateSliceInDim(...given: unknown[]): NDArray {
  const { operand, update, startIndex: start, axis } = updateSliceInDimParams(given);
  const x = asArray(operand, "lax.dynamicUpdateSliceInDim", "operand");
  return dynamicUpdateSlice(x, update, alongAxis(x, normalizeAxis(axis, x.ndim, "lax.dynamicUpdateSliceInDim"), start));
}

const updateIndexParams = signature<{ operand: ArrayLike; update: ArrayLike; index: ArrayLike; axis: number }>(
  "lax.dynamicUpdateIndexInDim",
  4,
  ["operand", "update", "index", "axis"],
);
/**
 * The operand with the elements at a traced index of an axis replaced; the update may lack that axis.
 *
 * @throws ArgumentError `axis-range`; DTypeError `index-dtype`; ShapeError `slice-size`.
 * @example
 * lax.dynamicUpdateIndexInDim(np.arange(3), 9, 1, 0); // [0, 9, 2]
 */
export function dynamicUpdateIndexInDim(operand: ArrayLike, update: ArrayLike, index: ArrayLike, axis: number): NDArray;
export function dynamicUpdateIndexInDim(...given: unknown[]): NDArray {
  const { operand, update, index, axis } = updateIndexParams(given);
  const x = asArray(operand, "lax.dynamicUpdateIndexInDim", "operand");
  const k = normalizeAxis(axis, x.ndim, "lax.dynamicUpdateIndexInDim");
  const u = asArray(update, "lax.dynamicUpdateIndexInDim", "update");
  return dynamicUpdateSliceInDim(x, u.ndim === x.ndim ? u : p.expandDims(u, [k]), index, k);
}
